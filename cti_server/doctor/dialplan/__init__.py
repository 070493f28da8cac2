"""The dialplan: what it asks and whom, what it calls that is not there, where numbers lead, what cti_site.conf says."""
