"""GraphQL over WebSocket: queries, mutations and subscriptions, in two protocols."""
