"""The identity provider of the company, by OpenID Connect: asked who somebody is, believed only by its signature.

`web` asks within limits, `metadata` knows its addresses, `keys` its keys; `tokens` judges what it has signed, and
`client` puts them together. What goes wrong is a `Trouble` with a code that every sign-in page has words for.
"""
