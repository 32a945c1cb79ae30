"""The console: the frame of the web pages, and what browsers load. It knows no room.

Pages hang themselves in; `frame` draws them, `assets` names their scripts and styles, and
`verify_page` is where anybody checks a proof, without an account and without trusting this node.
"""
