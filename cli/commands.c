/* commands.c: the commands and the options that all of them take. */
#include "cli.h"

#include "secret.h"

#define AT(member) offsetof(cli_globals, member)

/* clang-format off */
const app_opt cli_global_options[] = {
    {"account", 'a', APP_OPT_TEXT, AT(account), "NAME", "account of the configuration to use", 0, 0, 0},
    {"jid", 'j', APP_OPT_TEXT, AT(jid), "JID", "address to log in with; the configuration is then not read, but with --account or --config", 0, 0, 0},
    {"password-file", 0, APP_OPT_TEXT, AT(password_file), "FILE", "read the password from the first line of FILE, which only its owner may read", 0, 0, 0},
    {"password-fd", 0, APP_OPT_NUMBER, AT(password_fd), "N", "read the password from file descriptor N", 0, 1000000, 0},
    {"netrc", 0, APP_OPT_FLAG, AT(netrc), NULL, "take the password from ~/.netrc, or from the file that $NETRC names", 0, 0, 0},
    {"password", 'p', APP_OPT_REFUSED, 0, NULL, "a password on the command line can be seen by everyone on this machine; " APP_SECRET_WAYS, 0, 0, 0},
    {"host", 0, APP_OPT_TEXT, AT(host), "HOST[:PORT]", "connect there instead of asking the DNS", 0, 0, 0},
    {"tls", 0, APP_OPT_CHOICE, AT(tls), "required|direct|off", "TLS always (the default), from the first byte, or not at all", 0, 0, 0},
    {"ca-file", 0, APP_OPT_TEXT, AT(ca_file), "FILE", "trust the certificates in FILE (PEM) instead of the system's", 0, 0, 0},
    {"pin", 0, APP_OPT_TEXT, AT(pin), "SHA256", "accept only this public key of the server, hex or base64", 0, 0, 0},
    {"cert", 0, APP_OPT_TEXT, AT(cert), "FILE", "certificate of the client (PEM), for EXTERNAL", 0, 0, 0},
    {"key", 0, APP_OPT_TEXT, AT(key), "FILE", "key of that certificate (PEM)", 0, 0, 0},
    {"mechanism", 0, APP_OPT_LIST, AT(mechanism), "NAME", "the only SASL mechanism acceptable; may be repeated", 0, 0, 0},
    {"compress", 0, APP_OPT_FLAG, AT(compress), NULL, "compress the stream (XEP-0138); inside TLS only when given twice", 0, 0, 0},
    {"resource", 0, APP_OPT_TEXT, AT(resource), "NAME", "name of this client at the account", 0, 0, 0},
    {"timeout", 0, APP_OPT_TIME, AT(timeout), "SEC", "end after that time, whatever happens, with status 7; 60 seconds without it", 0, 0, 0},
    {"json", 0, APP_OPT_FLAG, AT(json), NULL, "print one JSON object per line", 0, 0, 0},
    {"quiet", 'q', APP_OPT_FLAG, AT(quiet), NULL, "print no more than asked for", 0, 0, 0},
    {"verbose", 'v', APP_OPT_FLAG, AT(verbose), NULL, "tell each stage of the connection on standard error", 0, 0, 0},
    {"xml", 0, APP_OPT_FLAG, AT(xml), NULL, "show what goes over the wire on standard error, secrets left out", 0, 0, 0},
    {"dry-run", 0, APP_OPT_FLAG, AT(dry_run), NULL, "say what would be changed, and change nothing", 0, 0, 0},
    {"no-store", 0, APP_OPT_FLAG, AT(no_store), NULL, "keep nothing on this machine, and do not look at what is kept", 0, 0, 0},
    {"no-input", 0, APP_OPT_FLAG, AT(no_input), NULL, "never ask at the terminal", 0, 0, 0},
    {"color", 0, APP_OPT_CHOICE, AT(color), "auto|always|never", "colors on a terminal", 0, 0, 0},
    {"config", 0, APP_OPT_TEXT, AT(config), "FILE", "configuration instead of ~/.config/jabiru/config.ini", 0, 0, 0},
    {"nameserver", 0, APP_OPT_TEXT, AT(nameserver), "HOST:PORT", "ask this name server instead of the system's", 0, 0, 1},
    {"help", 'h', APP_OPT_FLAG, AT(help), NULL, "show this help", 0, 0, 0},
    {"version", 0, APP_OPT_FLAG, AT(version), NULL, "show the version", 0, 0, 0},
    {0},
};

const cli_command cli_commands[] = {
    {"send", "TO... [TEXT]", "send a message to people or rooms", cli_send_options, CLI_CHANGES | CLI_KEEPS, cli_send},
    {"listen", "", "print messages as they come", cli_listen_options, CLI_STREAMS | CLI_KEEPS, cli_listen},
    {"chat", "JID", "talk line by line", cli_chat_options, CLI_STREAMS | CLI_KEEPS, cli_chat},
    {"history", "", "show the last messages: those kept here, and those in the server's archive", cli_history_options, CLI_KEEPS, cli_history},
    {"search", "WORD...", "find messages kept here that have all the words", cli_search_options, CLI_KEEPS, cli_search},
    {"roster", "COMMAND", "the list of contacts", NULL, CLI_GROUP, NULL},
    {"roster list", "", "show the contacts, and who is online", cli_roster_list_options, 0, cli_roster_list},
    {"roster add", "JID", "add a contact and ask to see its presence, or change its name and groups", cli_roster_add_options, CLI_CHANGES, cli_roster_add},
    {"roster approve", "JID", "let someone see the own presence, who asked or will ask", NULL, CLI_CHANGES, cli_roster_approve},
    {"roster deny", "JID", "refuse that, or end it", NULL, CLI_CHANGES, cli_roster_deny},
    {"roster rm", "JID", "remove a contact, with the subscriptions both ways", NULL, CLI_CHANGES, cli_roster_rm},
    {"roster rename", "JID NAME", "give a contact another name", NULL, CLI_CHANGES, cli_roster_rename},
    {"roster group", "JID [GROUP...]", "put a contact into these groups and no others", NULL, CLI_CHANGES, cli_roster_group},
    {"presence", "COMMAND", "who is there", NULL, CLI_GROUP, NULL},
    {"presence get", "JID", "show the presence of a contact", NULL, 0, cli_presence_get},
    {"presence watch", "", "print presence as it comes", cli_presence_watch_options, CLI_STREAMS, cli_presence_watch},
    {"presence set", "", "show oneself to the contacts", cli_presence_set_options, CLI_CHANGES, cli_presence_set},
    {"iq", "COMMAND", "raw queries", NULL, CLI_GROUP, NULL},
    {"iq get", "TO [XML]", "ask with one XML element, and print the answer", cli_iq_options, 0, cli_iq_get},
    {"iq set", "TO [XML]", "change something with one XML element, and print the answer", cli_iq_options, CLI_CHANGES, cli_iq_set},
    {"disco", "JID", "what an entity is, can and has", cli_disco_options, 0, cli_disco},
    {"ping", "[JID]", "measure the round trip to an entity, or to the own server", cli_ping_options, 0, cli_ping},
    {"version", "[JID]", "version of jabiru, or of the software of another", NULL, 0, cli_version},
    {"account", "COMMAND", "the accounts in the configuration", NULL, CLI_GROUP, NULL},
    {"account add", "[NAME] JID", "keep an account, with the options given", cli_account_add_options, CLI_CHANGES, cli_account_add},
    {"account list", "", "show the accounts", NULL, 0, cli_account_list},
    {"account test", "[NAME]", "log in, and tell how that went", NULL, 0, cli_account_test},
    {"account rm", "NAME", "forget an account", NULL, CLI_CHANGES, cli_account_rm},
    {"schema", "", "print the JSON schema of what --json prints", NULL, 0, cli_schema},
    {"help", "[COMMAND]", "show the commands, or the options of one", cli_help_options, 0, cli_help_command},
    {0},
};
/* clang-format on */
