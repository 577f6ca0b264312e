-- For measurements only: connections come from early_front, which ends TLS 1.3 and takes early data. The
-- log-in counts as under TLS, and tokens may come in early data if their counter goes up (XEP-0484 §3.4).
local st = require "util.stanza";

local xmlns_fast = "urn:xmpp:fast:0";
local counts = {};

module:hook("stream-features", function (event)
	event.origin.secure = true;
	event.origin.ssl_ctx = false; -- no STARTTLS
end, 2000);

module:hook("advertise-sasl-features", function (event)
	local fast = event.features:get_child("fast", xmlns_fast);
	if fast then fast.attr["tls-0rtt"] = "true"; end
end, -10);

module:hook_tag("urn:xmpp:sasl:2", "authenticate", function (session, authenticate)
	local fast = authenticate:get_child("fast", xmlns_fast);
	local count = fast and tonumber(fast.attr.count);
	if not count then return; end
	local client = authenticate:get_child("user-agent").attr.id;
	if count <= (counts[client] or 0) then
		session.send(st.stanza("failure", { xmlns = "urn:xmpp:sasl:2" })
			:tag("not-authorized", { xmlns = "urn:ietf:params:xml:ns:xmpp-sasl" }));
		return true;
	end
	counts[client] = count;
end, 200);
