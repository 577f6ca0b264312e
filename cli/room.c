/* room.c: enters a room that exists. Joining one that does not would create it
 * (XEP-0045 10.1), and to create rooms is another command's business. */
#include "cli.h"

#include <jabiru/disco.h>
#include <jabiru/muc.h>
#include <stdlib.h>

static int no_such_room(const char *room)
{
    return app_say(APP_REFUSED, "room: there is no room %s; check its address", room);
}

/* Asks the service whether there is such a room. Rooms that hide themselves
 * refuse the question in other ways: those are tried. */
static int room_exists(cli *c, const char *room)
{
    const jab_event *ev;
    uint64_t tag = cli_tag(c);
    int err = jab_disco_info(cli_session(c), jab_cstr(room), (jab_str){0}, tag);
    if (err < 0)
        return app_say_error("room", err);
    int status = cli_answer(c, JAB_EV_DISCO_INFO, tag, &ev);
    if (status != APP_OK)
        return status;
    const jab_disco_info_reply *info = ev->data;
    if (info->error == JAB_ESTANZA && jab_str_is(info->refusal.condition, "item-not-found"))
        return no_such_room(room);
    if (info->error == JAB_ESTANZA &&
        (jab_str_is(info->refusal.condition, "remote-server-not-found") ||
         jab_str_is(info->refusal.condition, "remote-server-timeout")))
        return cli_say_reply("room", info->error, &info->refusal);
    if (info->error && info->error != JAB_ESTANZA)
        return app_say_error("room", info->error);
    return APP_OK;
}

/* Leaves a room that was created by mistake: locked and empty, it goes away. */
static int leave_created(cli *c, const char *room, jab_str joined)
{
    const jab_event *ev;
    if (jab_muc_leave(cli_session(c), joined, (jab_str){0}) == 0)
        cli_answer(c, JAB_EV_MUC_LEFT, 0, &ev);
    return no_such_room(room);
}

int cli_enter_room(cli *c, const char *room, const char *nick, unsigned history, size_t *occupants)
{
    const jab_event *ev;
    const jab_jid *own = jab_session_jid(cli_session(c));
    jab_str name = nick ? jab_cstr(nick) : own->local.n ? own->local : JAB_STR("jabiru");
    int status = room_exists(c, room);
    if (status != APP_OK)
        return status;
    uint64_t tag = cli_tag(c);
    int err = jab_muc_join(cli_session(c), jab_cstr(room), name,
                           JAB_MUC_JOIN(.no_history = history == 0, .history = history), tag);
    if (err < 0)
        return app_say_error("room", err);
    status = cli_answer(c, JAB_EV_MUC_JOINED, tag, &ev);
    if (status != APP_OK)
        return status;
    const jab_muc_joined *joined = ev->data;
    if (joined->error)
        return cli_say_reply(room, joined->error, &joined->refusal);
    if (joined->status & JAB_MUC_CREATED)
        return leave_created(c, room, joined->room);
    if (occupants)
        *occupants = joined->occupants;
    return APP_OK;
}

/* -- Rooms that messages of earlier runs are for -------------------------------------------- */

#define LOOK_BACK 1000 /* messages kept last, the waiting ones among them */
#define LEFT_MAX  16

struct left {
    char *rooms[LEFT_MAX];
    size_t n;
};

static int on_kept(void *arg, const jab_kept_message *kept)
{
    struct left *left = arg;
    if (kept->own != JAB_OWN_PENDING || kept->type != JAB_MSG_GROUPCHAT)
        return 0;
    for (size_t i = 0; i < left->n; i++)
        if (jab_str_is(kept->conversation, left->rooms[i]))
            return 0;
    left->rooms[left->n++] = app_copy(kept->conversation);
    return left->n == LEFT_MAX;
}

void cli_enter_left_rooms(cli *c)
{
    struct left left = {.n = 0};
    if (jab_store_read(c->store, JAB_KEPT_QUERY(.limit = LOOK_BACK), on_kept, &left) < 0)
        return;
    for (size_t i = 0; i < left.n; i++) {
        if (!jab_muc_own_nick(cli_session(c), jab_cstr(left.rooms[i])).p)
            (void)cli_enter_room(c, left.rooms[i], NULL, 0, NULL);
        free(left.rooms[i]);
    }
}
