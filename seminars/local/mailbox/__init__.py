"""A mailbox for one machine: takes every mail by SMTP, keeps it as a file, shows it on a page. Sends nothing on.

`python -m seminars.local.mailbox --smtp-port 1025 --web-port 8025 --data var/mail`
"""
