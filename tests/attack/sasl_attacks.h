/* sasl_attacks.h: attacks on the exchange of a mechanism; a part of test_checks.c. */
#ifndef SASL_ATTACKS_H
#define SASL_ATTACKS_H

/* Begins the log-in with one mechanism and sends a challenge (not yet base64). */
static void challenge(const char *mechanism, const char *format, const char *nonce)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char plain[400], text[1000];
    snprintf(plain, sizeof plain, format, nonce ? nonce : "");
    size_t n = strlen(plain), at;
    at =
        (size_t)snprintf(text, sizeof text, "<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>");
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)(uint8_t)plain[i] << 16 |
                     (i + 1 < n ? (uint32_t)(uint8_t)plain[i + 1] << 8 : 0) |
                     (i + 2 < n ? (uint8_t)plain[i + 2] : 0);
        text[at++] = digits[v >> 18];
        text[at++] = digits[v >> 12 & 63];
        text[at++] = i + 1 < n ? digits[v >> 6 & 63] : '=';
        text[at++] = i + 2 < n ? digits[v & 63] : '=';
    }
    snprintf(text + at, sizeof text - at, "</challenge>");
    (void)mechanism;
    peer_clear(&e);
    (void)!peer_says(&e, text);
}

/* The client's nonce, out of its first message. */
static const char *begin_scram(void)
{
    static char nonce[200];
    jab_config cfg;
    offline(&cfg);
    cfg.mechanisms = JAB_STR("SCRAM-SHA-1");
    connect_with(&cfg, NULL);
    peer_says(&e,
              PEER_HEADER "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
                          "<mechanism>SCRAM-SHA-1</mechanism></mechanisms></stream:features>");
    const char *at = strstr(e.sent, "</auth>");
    assert_non_null(at);
    const char *from = at;
    while (from[-1] != '>')
        from--;
    unsigned char plain[400];
    uint32_t v = 0;
    size_t n = 0, bits = 0;
    for (; from < at && *from != '='; from++) {
        static const char digits[] =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        v = v << 6 | (uint32_t)(strchr(digits, *from) - digits);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            plain[n++] = (unsigned char)(v >> bits);
        }
    }
    plain[n] = '\0';
    snprintf(nonce, sizeof nonce, "%s", strstr((char *)plain, ",r=") + 3);
    return nonce;
}

static int success_without_proof(void)
{
    challenge("SCRAM-SHA-1", "r=%sXYZ,s=QSXCR+Q6sek8bf92,i=4096", begin_scram());
    peer_clear(&e);
    (void)!peer_says(&e, PEER_SUCCESS);
    return peer_sent(&e, "<stream:stream");
}

/* Whether a first message gets an answer, which a guesser of passwords could use. */
static int is_answered(const char *format, const char *nonce)
{
    challenge("SCRAM-SHA-1", format, nonce);
    return peer_sent(&e, "<response");
}

static int foreign_nonce(void)
{
    begin_scram();
    return is_answered("r=%s,s=QSXCR+Q6sek8bf92,i=4096",
                       "somebodyelsesnonceatleastaslongasours0123456789abcdefgh");
}

static int one_iteration(void)
{
    return is_answered("r=%sXYZ,s=QSXCR+Q6sek8bf92,i=1", begin_scram());
}

/* The server's hash is of an offer with SCRAM-SHA-256, which did not arrive. */
static int offer_without_the_best(void)
{
    return is_answered("r=%sXYZ,s=QSXCR+Q6sek8bf92,i=4096,h=FSE5W7a6v0IX0MXG41UntQjaPq0=",
                       begin_scram());
}

static int tls_that_ends_in_between(void)
{
    return is_answered("r=%sXYZ,s=QSXCR+Q6sek8bf92,i=4096,t=0304", begin_scram());
}

static int wrong_rspauth(void)
{
    jab_config cfg;
    offline(&cfg);
    cfg.mechanisms = JAB_STR("DIGEST-MD5");
    connect_with(&cfg, NULL);
    peer_says(&e,
              PEER_HEADER "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
                          "<mechanism>DIGEST-MD5</mechanism></mechanisms></stream:features>");
    challenge("DIGEST-MD5", "nonce=\"1234\",qop=\"auth\",charset=utf-8,algorithm=md5-sess", NULL);
    assert_true(peer_sent(&e, "<response"));
    challenge("DIGEST-MD5", "rspauth=00000000000000000000000000000000", NULL);
    return peer_sent(&e, "<response");
}

#endif
