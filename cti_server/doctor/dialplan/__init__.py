"""The dialplan: whom it asks, what it calls that is not there, where numbers lead, what cti_site.conf says."""
