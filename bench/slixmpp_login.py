#!/usr/bin/python3
"""Logs in with slixmpp; imports are not counted. See login_bench.h.

    slixmpp_login.py JID PORT CA WAYS        password in $PEER_PASSWORD
"""
import asyncio
import os
import sys
import time

import slixmpp


class Login(slixmpp.ClientXMPP):
    def __init__(self, jid, ca):
        self.begin, self.processor = time.monotonic(), time.process_time()
        super().__init__(jid, os.environ['PEER_PASSWORD'])
        self.ca_certs, self.ready = ca, False
        self.add_event_handler('session_start', self.on_start)

    async def on_start(self, _):
        online = time.monotonic()
        roster = self.get_roster()
        self.send_presence()
        await roster
        print(f'{self.begin:.6f} {online:.6f} {time.monotonic():.6f} '
              f'{time.process_time() - self.processor:.6f}', flush=True)
        self.ready = True
        sys.stdin.read()
        self.disconnect()


def main():
    client = Login(sys.argv[1], sys.argv[3])
    client.connect(('127.0.0.1', int(sys.argv[2])), use_ssl='direct' in sys.argv[4].split(','))
    asyncio.get_event_loop().run_until_complete(client.disconnected)
    return not client.ready


if __name__ == '__main__':
    sys.exit(main())
