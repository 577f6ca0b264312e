#!/usr/bin/python3
"""A client built on slixmpp: tells what it gets as JSON lines, and does what lines of JSON ask.

    slixmpp_peer.py JID PORT CA        password in $PEER_PASSWORD
"""
import asyncio
import json
import os
import sys

import slixmpp


def tell(**record):
    print(json.dumps(record), flush=True)


class Peer(slixmpp.ClientXMPP):
    def __init__(self, jid, ca):
        super().__init__(jid, os.environ["PEER_PASSWORD"])
        self.ca_certs = ca
        for plugin in ("xep_0030", "xep_0092", "xep_0199", "xep_0085"):
            self.register_plugin(plugin)
        self["xep_0092"].software_name = "slixmpp-peer"
        self["xep_0092"].version = "1"
        self.auto_authorize, self.auto_subscribe = True, True
        self.add_event_handler("session_start", self.on_start)
        self.add_event_handler("message", self.on_message)
        for kind in ("available", "away", "chat", "dnd", "xa"):
            self.add_event_handler("presence_" + kind, self.on_presence)
        self.add_event_handler("failed_auth", lambda e: tell(event="failed"))

    async def on_start(self, _):
        self.send_presence(pshow="away", pstatus="on stage")
        await self.get_roster()
        tell(event="online", jid=self.boundjid.full)
        loop = asyncio.get_running_loop()
        loop.run_in_executor(None, self.read_commands, loop)

    def on_message(self, message):
        tell(event="message", sender=message["from"].full, kind=message["type"],
             body=message["body"], subject=message["subject"], thread=message["thread"])

    def on_presence(self, presence):
        tell(event="presence", sender=presence["from"].full, show=presence["show"],
             status=presence["status"], priority=presence["priority"])

    def read_commands(self, loop):
        for line in sys.stdin:
            asyncio.run_coroutine_threadsafe(self.obey(json.loads(line)), loop).result()
        loop.call_soon_threadsafe(self.disconnect)

    async def obey(self, command):
        if command["do"] == "send":
            message = self.make_message(mto=command["to"], mbody=command["body"], mtype=command["kind"],
                                        msubject=command.get("subject"))
            message["thread"] = command.get("thread", "")
            message.send()
        elif command["do"] == "version":
            reply = await self["xep_0092"].get_version(command["to"])
            tell(event="version", name=reply["software_version"]["name"])
        elif command["do"] == "ping":
            tell(event="pong", seconds=await self["xep_0199"].ping(command["to"]))
        elif command["do"] == "disco":
            reply = await self["xep_0030"].get_info(command["to"])
            tell(event="disco", features=sorted(reply["disco_info"]["features"]))


def main():
    jid, port, ca = sys.argv[1:]
    peer = Peer(jid, ca)
    peer.connect(("127.0.0.1", int(port)), use_ssl=False)
    peer.loop.run_until_complete(peer.disconnected)


if __name__ == "__main__":
    main()
