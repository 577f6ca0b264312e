/* schema.c: jabiru schema: the records of --json as a JSON schema. */
#include "cli.h"

#include <stdlib.h>

static json_t *of_type(const char *type)
{
    return json_pack("{s:s}", "type", type);
}

static json_t *with_members(const char *const *names)
{
    json_t *members = json_object();
    for (; *names; names++)
        json_object_set_new(members, *names, of_type("string"));
    return json_pack("{s:s, s:o}", "type", "object", "properties", members);
}

/* A field's kind as a schema; what is not a kind of ours is a JSON type. */
static json_t *schema_of(const char *kind)
{
    static const char *const address[] = {"full", "bare", "local", "domain", "resource", NULL};
    static const char *const delay[] = {"stamp", "from", NULL};
    static const char *const error[] = {"condition", "type", "text", NULL};
    if (strcmp(kind, "address") == 0)
        return with_members(address);
    if (strcmp(kind, "delay") == 0)
        return with_members(delay);
    if (strcmp(kind, "error") == 0)
        return with_members(error);
    if (strcmp(kind, "time") == 0)
        return json_pack("{s:s, s:s}", "type", "string", "format", "date-time");
    if (strcmp(kind, "strings") == 0)
        return json_pack("{s:s, s:{s:s}}", "type", "array", "items", "type", "string");
    return of_type(kind);
}

static json_t *schema_of_record(const app_record *record)
{
    json_t *properties = json_object();
    for (const app_field *field = record->fields; field->name; field++) {
        json_t *schema = schema_of(field->kind);
        json_object_set_new(schema, "description", json_string(field->help));
        json_object_set_new(properties, field->name, schema);
    }
    json_object_set_new(json_object_get(properties, "type"), "const", json_string(record->type));
    return json_pack("{s:s, s:s, s:o, s:[s,s]}", "type", "object", "description", record->help,
                     "properties", properties, "required", "v", "type");
}

int cli_schema(cli *c)
{
    json_t *kinds = json_array();
    for (const app_record *record = app_records; record->type; record++)
        json_array_append_new(kinds, schema_of_record(record));
    json_t *schema =
        json_pack("{s:s, s:s, s:s, s:o}", "$schema", "https://json-schema.org/draft/2020-12/schema",
                  "title", "jabiru --json", "description",
                  "One object per line. Fields are only ever added: ignore those you do not know.",
                  "oneOf", kinds);
    char *text = json_dumps(schema, JSON_INDENT(2));
    json_decref(schema);
    if (!text)
        return app_say_error("schema", JAB_ENOMEM);
    app_out_plain(&c->out, jab_cstr(text));
    app_out_plain(&c->out, JAB_STR("\n"));
    free(text);
    return APP_OK;
}
