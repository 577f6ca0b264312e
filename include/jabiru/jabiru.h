/*
 * jabiru.h: the map of libjabiru, an XMPP client library. Including it
 * includes all of it.
 *
 *   base.h      strings, errors, memory, time
 *   jid.h       addresses, their escaping, xmpp: URIs
 *   stanza.h    reading what arrived, building what is to be sent
 *   session.h   the core: bytes and time in, bytes and events out
 *   store.h     what survives: outbox, messages, archive places
 *   client.h    a session with its sockets, DNS, TLS and timers
 *   probe.h     what a server offers before anybody logs in
 *   ext.h       writing an extension of your own
 *   roster.h presence.h message.h disco.h ...   one header per extension
 *
 * Five conventions hold everywhere.
 *
 * Ownership. `_new` makes an object on the heap that the matching `_free`
 * gives back; `_keep` and `_drop` do the same for stanzas. Everything else is
 * borrowed, and its comment says until when. `_free(NULL)` does nothing.
 *
 * Strings. A jab_str is a view: pointer and length, UTF-8, no NUL. What you
 * pass in is copied before the call returns, unless the comment says not.
 *
 * Errors. A call returns an int: >= 0 is good, below is an enum jab_error
 * whose range says whose fault it was. A stream that breaks says so in
 * JAB_EV_OFFLINE, with a sentence for people; a refused request says so in
 * the event that answers it. Builders remember their first error until
 * jab_out_send().
 *
 * Events. The library never calls into the program: pull events with
 * jab_client_wait() or jab_session_next(). One is valid until the next is
 * pulled. Ignore the types you do not know.
 *
 * Threads. Nothing is global. An object belongs to one thread at a time.
 */
#ifndef JABIRU_JABIRU_H
#define JABIRU_JABIRU_H

#include <jabiru/base.h>
#include <jabiru/caps.h>
#include <jabiru/carbons.h>
#include <jabiru/client.h>
#include <jabiru/csi.h>
#include <jabiru/datetime.h>
#include <jabiru/delay.h>
#include <jabiru/disco.h>
#include <jabiru/ext.h>
#include <jabiru/history.h>
#include <jabiru/jid.h>
#include <jabiru/last.h>
#include <jabiru/login.h>
#include <jabiru/mam.h>
#include <jabiru/message.h>
#include <jabiru/muc.h>
#include <jabiru/ping.h>
#include <jabiru/presence.h>
#include <jabiru/probe.h>
#include <jabiru/receipts.h>
#include <jabiru/roster.h>
#include <jabiru/session.h>
#include <jabiru/sm.h>
#include <jabiru/stanza.h>
#include <jabiru/store.h>
#include <jabiru/time.h>
#include <jabiru/version.h>

#endif
