"""Administration: users and their grants, teams, keys of other programs, the audit log. All need the grant
`administer`, and each change is in the audit log.
"""
