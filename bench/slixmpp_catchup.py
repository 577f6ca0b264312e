#!/usr/bin/python3
"""Fetches the archive of an account with slixmpp, page by page, and counts.

    slixmpp_catchup.py JID PORT CA COUNT        password in $PEER_PASSWORD
"""
import asyncio
import os
import sys

import slixmpp
from slixmpp.plugins import xep_0313  # noqa: F401


class Fetcher(slixmpp.ClientXMPP):
    def __init__(self, jid, ca, count):
        super().__init__(jid, os.environ['PEER_PASSWORD'])
        self.ca_certs, self.wanted, self.got = ca, count, 0
        self.register_plugin('xep_0313')
        self.add_event_handler('session_start', self.on_start)

    async def on_start(self, _):
        self.send_presence()
        pages = self['xep_0313'].retrieve(rsm={'max': '100'}, iterator=True, reverse=False)
        async for page in pages:
            for result in page['mam']['results']:
                forwarded = result['mam_result']['forwarded']
                self.got += bool(forwarded['stanza']['body'] and forwarded['delay']['stamp'])
        self.disconnect()


def main():
    client = Fetcher(sys.argv[1], sys.argv[3], int(sys.argv[4]))
    client.connect(('127.0.0.1', int(sys.argv[2])))
    asyncio.get_event_loop().run_until_complete(client.disconnected)
    print(client.got)
    return client.got < client.wanted


if __name__ == '__main__':
    sys.exit(main())
