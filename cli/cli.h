/*
 * cli.h: the program jabiru: what its commands share. A command is one row of
 * the table in commands.c and one file; functions return an exit status, and
 * have said why when it is not 0.
 */
#ifndef JABIRU_CLI_H
#define JABIRU_CLI_H

#include "config.h"
#include "fault.h"
#include "options.h"
#include "output.h"
#include "wait.h"
#include <jabiru/client.h>
#include <jabiru/login.h>
#include <jabiru/presence.h>
#include <jabiru/store.h>

/* The options that every command takes. */
typedef struct cli_globals {
    const char *account, *jid, *config;
    const char *password_file;
    app_number password_fd;
    int netrc, no_input;
    const char *host, *nameserver, *tls, *ca_file, *pin, *cert, *key, *proxy;
    const char *bearer_token_file, *login;
    app_list mechanism;
    int compress, dane;
    const char *resource;
    app_time timeout;
    int json, quiet, verbose, xml, dry_run, no_store, help, version;
    const char *color;
} cli_globals;

typedef struct cli cli;

enum {
    CLI_STREAMS = 1 << 0, /* runs until told to end: no time limit of its own */
    CLI_CHANGES = 1 << 1, /* changes something: --dry-run makes sense */
    CLI_GROUP = 1 << 2,   /* only a word before others ("roster"); has no run */
    CLI_KEEPS = 1 << 3,   /* keeps messages on this machine, but with --no-store */
};

/* A command: one row gives the parsing, --help and the manual page. */
typedef struct cli_command {
    const char *name;     /* "send", or two words: "roster list" */
    const char *synopsis; /* what follows the name */
    const char *purpose;  /* one line, no full stop */
    const app_opt *options;
    int flags;
    int (*run)(cli *c);
} cli_command;

#define CLI_OPERANDS_MAX 256
#define CLI_TIMEOUT      60000 /* ms, without --timeout */

/* Room for the values of a command's own options. */
#define CLI_VALUES_MAX       2048
#define CLI_VALUES_FIT(type) _Static_assert(sizeof(type) <= CLI_VALUES_MAX, #type)

struct cli {
    cli_globals g;
    const cli_command *command;
    void *values; /* the command's own options: CLI_VALUES_MAX bytes */
    const char *operands[CLI_OPERANDS_MAX];
    int n;      /* operands, without the command's words */
    int dashes; /* how many of them stood before "--"; -1 without one */

    app_out out;
    int64_t started, deadline;

    app_config configuration;
    char *config_path;
    app_account account; /* what the command line and the configuration say; borrowed */
    jab_jid_buf jid_bytes;
    jab_jid jid;

    jab_client *client;
    int reconnects; /* 1: a lost connection is no end (send, listen, chat) */
    int was_online;
    const char *awaited; /* what a timeout says that it waited for; NULL: an answer */
    int status;          /* exit status of what ended the connection */
    jab_stage told;      /* last stage that -v told */
    uint64_t next_tag;   /* the upper half is this process's own */

    jab_vault *vault;  /* what log-ins left of the account here, or NULL */
    unsigned login;    /* enum jab_login_flags, beside those of the settings */
    int withheld;      /* 1: what the vault has took the place of the password */
    int asks_password; /* 1: that did not serve */
    int has_password;  /* 1: the password was read */

    jab_store *store;       /* what is kept of the account here, or NULL */
    int commits;            /* 1: what came is kept when it was dealt with, not before */
    int pulled;             /* 1: something was pulled since the last time */
    unsigned receipts;      /* enum jab_receipts_flags */
    unsigned first_history; /* messages to fetch of an archive that was never read */
    int store_failures;     /* ends of the connection in a row because nothing could be kept */

    const jab_ext *const *exts; /* the command's own, beside the built-in ones; or NULL */
    /* Says why a session ended in place of the line on standard error; an exit status. */
    int (*say_fault)(cli *c, const jab_fault *fault);

    /* Gets the events that come while something else is waited for: an answer,
     * the end of the stream. NULL drops them. */
    void (*others)(cli *c, const jab_event *ev);
    void *run; /* the command's own */
};

extern const app_opt cli_global_options[];
extern const cli_command cli_commands[]; /* ended by a NULL name */

/* -- account.c: which account, and its settings -------------------------------- */

/* Reads the configuration file into c->configuration. */
int cli_load_config(cli *c);

/* Settles c->account and c->jid from the options and the configuration. */
int cli_settle_account(cli *c);

/* Whether a proxy can be used; one from the command line must not have a password: an
 * exit status. */
int cli_check_proxy(const char *url, int is_option);

/* Writes KEY=VALUE settings into an account of the configuration (`name` NULL: the default
 * one): an exit status. */
int cli_change_account(cli *c, const char *name, const app_list *settings);

/* -- link.c: the connection ------------------------------------------------------ */

/* The session of the connection: ask for it each time before something is sent. */
jab_session *cli_session(const cli *c);

/* The wire log on standard error, as --xml asks for it: for jab_config.wire. */
void cli_wire(void *arg, int out, jab_str bytes);

/* What --tls says; NULL: the default. */
jab_tls_policy cli_tls_policy(const char *word);

/* How much a DANE record counts: see jab_config.dane. */
int cli_dane_level(const cli *c);

/* What cli_wait() came back with. */
typedef enum cli_what {
    CLI_ENDED, /* c->status says how; it was said why */
    CLI_EVENT, /* *ev is set; valid until the next wait */
    CLI_READY, /* the extra descriptor is ready */
    CLI_TIME,  /* `until` has come, or a signal that is not the end (SIGCHLD, SIGHUP) */
} cli_what;

/* Finds account and password, connects and logs in. */
int cli_connect(cli *c);

/* As cli_connect(), without waiting until the log-in is done. */
int cli_begin(cli *c);

/* Waits for an event, an extra descriptor (`extra` NULL: none) or a time. The
 * events of the connection itself are dealt with here but for JAB_EV_ONLINE,
 * and JAB_EV_OFFLINE with c->reconnects. */
cli_what cli_wait(cli *c, const jab_event **ev, struct pollfd *extra, int64_t until);

/* With c->commits: makes durable what came so far (jab_session_commit()). */
int cli_commit(cli *c);

/* Keeps the connection alive without pulling events until `until` or a signal;
 * CLI_ENDED or CLI_TIME. */
cli_what cli_idle(cli *c, int64_t until);

/* Waits for the answer with this tag and of this type; others
 * go to c->others. */
int cli_answer(cli *c, uint32_t type, uint64_t tag, const jab_event **ev);

/* A tag that no other request has. */
uint64_t cli_tag(cli *c);

/* Waits until the own server has dealt with all that was sent before: a ping
 * to it, whatever the answer (RFC 6120 10.1: in order). */
int cli_barrier(cli *c);

/* Says that a request could not be sent, or was answered by an error. */
int cli_say_reply(const char *what, int error, const jab_stanza_error *refusal);

/* Closes the stream, reads the configuration again, and begins anew. */
int cli_restart(cli *c);

/* Closes the stream, at most 2 seconds long; what comes until then goes to c->others. */
void cli_close(cli *c);

/* The same, and frees the client, the store and the vault. */
void cli_disconnect(cli *c);

/* How the log-in went, in few words: "SCRAM-SHA-256-PLUS (tls-exporter), TLS 1.3". */
void cli_login_words(app_text *out, const jab_login_info *login);

/* -- vault.c: what log-ins leave on this machine --------------------------------------- */

/* Opens the account's vault into c->vault, but with --no-store: an exit status. */
int cli_open_vault(cli *c);

/* Forgets what log-ins left of the account, here and, as far as it can be reached within
 * seconds, at the server: an exit status. */
int cli_forget_vault(cli *c);

/* -- kept.c: what is kept of the account on this machine ---------------------------- */

/* Opens the account's store into c->store, for a command that keeps messages: an
 * exit status. While another jabiru has it, c->store stays NULL. */
int cli_open_store(cli *c);

/* Opens it only for looking, also beside another jabiru: an exit status; c->store is NULL
 * when nothing is kept. */
int cli_look_store(cli *c);

/* A kept message as one that arrived; *stanza is to be given to jab_stanza_drop(). 0, or < 0
 * when it cannot be read. */
int cli_kept_message(jab_message *m, jab_stanza **stanza, const jab_kept_message *kept);

/* Its record; NULL when there is nothing in it to show. */
json_t *cli_kept_record(const jab_kept_message *kept);

/* A number by which a kept message is named to people: "f3a1". */
#define CLI_KEY_SIZE 17
void cli_key_text(char out[CLI_KEY_SIZE], int64_t key);

/* Reads it, with or without a # before it: 0, or -1. */
int cli_key_parse(const char *text, int64_t *key);

/*
 * A message came to a command that does not show it: jabiru listen, once it
 * has run for this account, is to print it when it runs again. cli_unseen_each() hands out the
 * keys; what was printed is taken out by cli_unseen_done().
 */
void cli_unseen_note(cli *c, const jab_message *m);
void cli_unseen_begin(cli *c);
int cli_unseen_each(cli *c, int (*fn)(void *arg, int64_t key), void *arg);
void cli_unseen_done(cli *c, int64_t key);

/* -- parse.c: small readers ------------------------------------------------------- */

/* Prepares an address; says what is wrong with it. */
int cli_address(const char *text, jab_jid *jid, jab_jid_buf *bytes);

/* Splits "host", "host:5222", "[::1]:5222" or "::1"; *port is 0 without one.
 * The name is to be freed. */
int cli_host_port(const char *text, char **host, uint16_t *port);

/* Checks that text may stand in XML and says where it may not. */
int cli_check_text(const char *what, jab_str text);

/* How many operands there must be: says the synopsis when it is another number. */
int cli_want(const cli *c, int min, int max);

/* -- help.c -------------------------------------------------------------------- */

/* Prints the help of a command, or the list of commands for NULL. */
void cli_help(cli *c, const cli_command *command);

/* The command of that name (one or two words), or NULL. */
const cli_command *cli_find_command(const char *name);

/* Says that there is no such command, and which one is near. */
int cli_unknown_command(const char *name);

/* -- message.c: a message as a record --------------------------------------------- */

/* The record of a message event; NULL when there is nothing in it to show
 * (a typing notice, a receipt). */
json_t *cli_message_record(const jab_message *m);

/* The record of a presence event. */
json_t *cli_presence_record(const jab_presence *p);

/* -- room.c ---------------------------------------------------------------------- */

/* Enters a room that exists; 5 when it does not, and none is left behind.
 * `nick` NULL: the local part of the own address. *occupants is set if not NULL. */
int cli_enter_room(cli *c, const char *room, const char *nick, unsigned history, size_t *occupants);

/* Enters the rooms that messages of earlier runs wait for, as far as that goes. */
void cli_enter_left_rooms(cli *c);

/* -- find.c: messages of the store, gathered ------------------------------------------ */

/* What is looked for; views, borrowed. */
typedef struct cli_find {
    jab_str with;         /* conversation; absent: all */
    jab_str words;        /* absent: all messages */
    int64_t since, until; /* ms since 1970; 0: none */
    int64_t before;       /* key of the message before which it ends; 0: at the newest */
    unsigned limit;
} cli_find;

/* Records, oldest first. */
typedef struct cli_found {
    json_t **v;
    size_t n;
} cli_found;

/* Finds the newest messages that fit. An exit status; none found is no failure. */
int cli_find_kept(cli *c, const cli_find *find, cli_found *found);

/* The id in the archive of a kept message, to be freed; NULL when it has none. */
int cli_archive_id(cli *c, int64_t key, char **id);

void cli_found_add(cli_found *found, json_t *record);
void cli_found_reverse(cli_found *found);
void cli_found_free(cli_found *found);

/* Puts what only the archive has among what is kept, and leaves the newest `limit`. The
 * archive's order counts; `archived` is empty then. */
void cli_found_merge(cli_found *kept, cli_found *archived, unsigned limit);

/* -- archive.c, export.c: for the history ------------------------------------------------- */

/* Gathers the newest messages that fit from the server's archive; `before` is an id
 * there, or NULL. */
int cli_find_archived(cli *c, const cli_find *find, const char *before, cli_found *found);

/* Brings what is kept here up to date with the archive, and as far back as there are
 * find->limit messages of the conversation, if the archive has them. */
int cli_catch_up(cli *c, const cli_find *find);

/* Only the latter, for find->with. */
int cli_reach_back(cli *c, const cli_find *find);

/* Prints records as "mbox", "md" or "json". */
void cli_export(cli *c, const char *form, const cli_found *found);

/* -- the commands ------------------------------------------------------------------ */

int cli_send(cli *c);
int cli_listen(cli *c);
int cli_chat(cli *c);
int cli_history(cli *c);
int cli_search(cli *c);
int cli_roster_list(cli *c);
int cli_roster_add(cli *c);
int cli_roster_approve(cli *c);
int cli_roster_deny(cli *c);
int cli_roster_rm(cli *c);
int cli_roster_rename(cli *c);
int cli_roster_group(cli *c);
int cli_presence_set(cli *c);
int cli_presence_watch(cli *c);
int cli_presence_get(cli *c);
int cli_iq_get(cli *c);
int cli_iq_set(cli *c);
int cli_disco(cli *c);
int cli_doctor(cli *c);
int cli_ping(cli *c);
int cli_version(cli *c);
int cli_account_add(cli *c);
int cli_account_list(cli *c);
int cli_account_test(cli *c);
int cli_account_rm(cli *c);
int cli_account_info(cli *c);
int cli_account_set(cli *c);
int cli_schema(cli *c);
int cli_help_command(cli *c);

extern const app_opt cli_send_options[], cli_listen_options[], cli_chat_options[],
    cli_history_options[], cli_search_options[], cli_roster_list_options[],
    cli_roster_add_options[], cli_presence_set_options[], cli_presence_watch_options[],
    cli_iq_options[], cli_disco_options[], cli_doctor_options[], cli_ping_options[],
    cli_account_add_options[], cli_account_set_options[], cli_help_options[];

#endif
