"""What an API promises: AsyncAPI documents and JSON Schemas, and whether messages keep to them."""
