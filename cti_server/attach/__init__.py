"""The guided attachment to a PBX that works, and the way back.

layout   what is there: its kind, queues, numbers, phones, trunks        (reads /etc/asterisk)
wanted   what is to be there: files with the real values, edits          (pure)
edits    one edit of a file of theirs: a block at its end, a line        (pure)
ledger   what was done, and how /etc/asterisk was before                 (a file beside the settings)
terminal asks the administrator
guide    the steps, each checked before the next
undo     the way back, compared with how it was
"""
