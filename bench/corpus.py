#!/usr/bin/python3
"""corpus.py: writes streams such as a busy client gets, the same bytes on every run."""

import argparse
import os
import random

HEAD = ("<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
        "xmlns:stream='http://etherx.jabber.org/streams' id='5f3c1a' from='verona.example' "
        "version='1.0' xml:lang='en'>")
TAIL = '</stream:stream>'

ENGLISH = ('the garden gate was open again this morning so somebody must have come late '
           'and I would rather ask before I close it for good since nobody told me about a '
           'visit but the dog kept quiet all night which means that it was one of us').split()
RUSSIAN = ('сегодня утром калитка снова была открыта значит кто то пришёл поздно и я лучше '
           'спрошу прежде чем закрою её насовсем ведь собака молчала всю ночь').split()
EMOJI = ['😀', '🌿', '🚲', '☕', '👍🏽', '🎻']
PEOPLE = ['juliet', 'romeo', 'benvolio', 'mercutio', 'tybalt', 'rosaline', 'nurse', 'paris']
HOSTS = ['verona.example', 'mantua.example', 'orchard.example']
PLACES = ['balcony', 'phone.7Qx2', 'desk', 'gajim.K3D9', 'conversations.aB4c']


class Writer:
    """Makes stanzas out of one source of chance."""

    def __init__(self, seed):
        self.r = random.Random(seed)

    def token(self, n):
        return ''.join(self.r.choice('0123456789abcdef') for _ in range(n))

    def uuid(self):
        return '-'.join(self.token(n) for n in (8, 4, 4, 4, 12))

    def bare(self):
        return f'{self.r.choice(PEOPLE)}@{self.r.choice(HOSTS)}'

    def full(self):
        return f'{self.bare()}/{self.r.choice(PLACES)}'

    def stamp(self):
        r = self.r
        return (f'2026-{r.randint(1, 12):02}-{r.randint(1, 28):02}T{r.randint(0, 23):02}:'
                f'{r.randint(0, 59):02}:{r.randint(0, 59):02}Z')

    def words(self, source, low, high):
        return ' '.join(self.r.choice(source) for _ in range(self.r.randint(low, high)))

    def english(self):
        text = self.words(ENGLISH, 6, 18)
        if self.r.random() < 0.1:
            text += self.r.choice([' &amp; so on', ' &lt;3', ' it&apos;s fine', ' &gt; yes'])
        return text

    def russian(self):
        text = self.words(RUSSIAN, 5, 14) + ' ' + self.r.choice(EMOJI)
        if self.r.random() < 0.5:
            text += self.r.choice([' &amp; ещё', ' &lt;3', ' &quot;да&quot;'])
        return text

    def chat(self, text=None):
        text = text or self.english()
        ident = self.uuid()
        return (f"<message from='{self.full()}' to='juliet@verona.example/balcony' type='chat' "
                f"id='{ident}'><body>{text}</body>"
                f"<origin-id xmlns='urn:xmpp:sid:0' id='{ident}'/>"
                "<request xmlns='urn:xmpp:receipts'/>"
                "<active xmlns='http://jabber.org/protocol/chatstates'/>"
                f"<stanza-id xmlns='urn:xmpp:sid:0' by='juliet@verona.example' "
                f"id='{self.token(16)}'/>"
                f"<delay xmlns='urn:xmpp:delay' from='verona.example' stamp='{self.stamp()}'/>"
                "</message>")

    def russian_chat(self):
        return self.chat(self.russian())

    def presence(self):
        show = self.r.choice(['', '<show>away</show>', '<show>dnd</show>', '<show>xa</show>'])
        return (f"<presence from='{self.full()}' to='juliet@verona.example/balcony'>{show}"
                f"<status>{self.words(ENGLISH, 2, 6)}</status>"
                f"<priority>{self.r.randint(0, 10)}</priority>"
                "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' "
                f"node='https://orchard.example/client' ver='{self.token(27)}='/>"
                f"<x xmlns='vcard-temp:x:update'><photo>{self.token(40)}</photo></x>"
                "</presence>")

    def archived(self):
        return (f"<message from='juliet@verona.example' to='juliet@verona.example/balcony'>"
                f"<result xmlns='urn:xmpp:mam:2' queryid='q{self.token(6)}' id='{self.token(16)}'>"
                f"<forwarded xmlns='urn:xmpp:forward:0'>"
                f"<delay xmlns='urn:xmpp:delay' stamp='{self.stamp()}'/>"
                f"<message xmlns='jabber:client' from='{self.full()}' to='juliet@verona.example' "
                f"type='chat' id='{self.uuid()}'><body>{self.english()}</body>"
                f"<origin-id xmlns='urn:xmpp:sid:0' id='{self.uuid()}'/>"
                "<markable xmlns='urn:xmpp:chat-markers:0'/></message>"
                "</forwarded></result></message>")

    def room(self):
        nick = self.r.choice(PEOPLE)
        return (f"<message from='capulets@rooms.verona.example/{nick}' type='groupchat' "
                f"to='juliet@verona.example/balcony' id='{self.uuid()}'>"
                f"<body>{self.english()}</body>"
                f"<occupant-id xmlns='urn:xmpp:occupant-id:0' id='{self.token(32)}'/>"
                f"<stanza-id xmlns='urn:xmpp:sid:0' by='capulets@rooms.verona.example' "
                f"id='{self.token(16)}'/></message>")

    def roster(self, items=10000):
        rows = []
        for i in range(items):
            rows.append(f"<item jid='{self.r.choice(PEOPLE)}{i}@{self.r.choice(HOSTS)}' "
                        f"name='{self.words(ENGLISH, 1, 2)}' subscription='both'>"
                        f"<group>{self.r.choice(['Friends', 'Work', 'Family'])}</group></item>")
        return (f"<iq type='result' id='{self.token(8)}' to='juliet@verona.example/balcony'>"
                f"<query xmlns='jabber:iq:roster' ver='{self.token(8)}'>{''.join(rows)}"
                "</query></iq>")

    def mixed(self):
        return self.r.choice([self.chat, self.presence, self.archived, self.room,
                              self.russian_chat])()


KINDS = {'chat': Writer.chat, 'presence': Writer.presence, 'mam': Writer.archived,
         'roster': Writer.roster, 'muc': Writer.room, 'mixed': Writer.mixed,
         'unicode': Writer.russian_chat}


def write(path, kind, enough):
    """Writes one stream; enough(stanzas, bytes) tells when to stop. Returns the stanzas."""
    make, writer = KINDS[kind], Writer(kind)
    stanzas = size = 0
    with open(path, 'wb') as out:
        out.write(HEAD.encode())
        while not enough(stanzas, size):
            stanza = make(writer).encode()
            out.write(stanza)
            stanzas += 1
            size += len(stanza)
        out.write(TAIL.encode())
    return stanzas


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument('folder')
    options.add_argument('--mb', type=float, default=8, help='size of each stream')
    args = options.parse_args()
    os.makedirs(args.folder, exist_ok=True)
    for kind in KINDS:
        n = write(os.path.join(args.folder, kind + '.xml'), kind,
                  lambda _, size: size >= args.mb * 1e6)
        print(f'{kind}: {n} stanzas')


if __name__ == '__main__':
    main()
