"""The shop of the page about GraphQL."""

from tests.data.docs.howto.graphql import url as url
