-- For tests only: Debian's prosody-modules of SASL2 (XEP-0388), Bind 2 (XEP-0386), FAST (XEP-0484) and
-- inline resumption were written for a later Prosody than Debian's 0.12. This adds what they miss there,
-- channel binding on TLS 1.3 (RFC 9266) and its announcement (XEP-0440).
module:set_global();

if prosody.version:sub(1, 5) ~= "0.12." then return; end

local datetime = require "util.datetime";
local errors = require "util.error";
local jid = require "util.jid";
local sasl = require "util.sasl";
local st = require "util.stanza";

local xmlns_sm = "urn:xmpp:sm:3";
local xmlns_stanzas = "urn:ietf:params:xml:ns:xmpp-stanzas";

-- Tokens expire at a fraction of a second, which os.date() of Lua 5.4 refuses.
local whole_seconds = datetime.datetime;
function datetime.datetime(t)
	return whole_seconds(t and math.floor(t));
end

function st.stanza_mt:get_child_attr(name, xmlns, attr)
	local child = self:get_child(name, xmlns);
	return child and child.attr[attr];
end

function st.stanza_mt:add_error(err)
	return self:tag(err.condition, { xmlns = xmlns_stanzas }):up();
end

-- The -PLUS mechanisms of 0.12 know tls-unique alone.
require "util.sasl.scram".init(function (name, _, mechanism, bindings)
	sasl.registerMechanism(name, {}, mechanism, bindings and { "tls-unique", "tls-exporter" });
end);

-- Each connection's methods are in one table; it is found at the first connection.
local function teach_connections(conn)
	local methods = getmetatable(conn).__index;
	if methods.ssl_info then return; end
	local function of_socket(name)
		return function (self, ...)
			local socket = self:socket();
			if socket and socket[name] then
				return socket[name](socket, ...);
			end
		end
	end
	methods.ssl_info = of_socket("info");
	methods.ssl_peerfinished = of_socket("getpeerfinished");
	methods.ssl_exportkeyingmaterial = of_socket("exportkeyingmaterial");
end

local function binding_of(session)
	local info = session.encrypted and session.conn:ssl_info();
	if info then
		return info.protocol == "TLSv1.3" and "tls-exporter" or "tls-unique";
	end
end

-- mod_saslauth makes a handler of its own after mod_sasl2's, so it is the maker that has to know the binding.
local function teach_accounts(host)
	local users = prosody.hosts[host].users;
	if rawget(users, "knows_tls_exporter") then return; end -- it answers for any name
	users.knows_tls_exporter = true;
	local make = users.get_sasl_handler;
	function users.get_sasl_handler(session)
		local handler = make(session);
		if session and session.conn and binding_of(session) == "tls-exporter" then
			handler:add_cb_handler("tls-exporter", function ()
				return session.conn:ssl_exportkeyingmaterial("EXPORTER-Channel-Binding", 32, "");
			end);
		end
		return handler;
	end
end

-- The client's stream header is an argument of the function, some frames up, that asks for features.
local function header_of(session)
	for level = 3, 30 do
		local found = {};
		if not debug.getinfo(level, "l") then return; end
		for i = 1, 2 do
			local name, value = debug.getlocal(level, i);
			if name then found[name] = value; end
		end
		if found.session == session and type(found.attr) == "table" then
			return found.attr;
		end
	end
end

-- What is sent while the action runs, and the function that would have sent it. A table that can be called
-- stands in for that, as mod_smacks sets fields of it.
local function kept_back(session, action)
	local kept, send = {}, session.send;
	session.send = setmetatable({}, { __call = function (_, t) table.insert(kept, t); return true; end });
	action();
	return kept, send;
end

local function failure_of(answer)
	local tag = answer and answer.tags[1];
	return errors.new({ type = "cancel", condition = tag and tag.name or "item-not-found" },
		{ h = answer and tonumber(answer.attr.h) });
end

local function enable(smacks, session, request)
	local kept, send = kept_back(session, function () smacks.handle_enable(session, request, xmlns_sm); end);
	session.send = send;
	local answer = kept[1];
	if answer.name ~= "enabled" then
		return nil, failure_of(answer);
	end
	return { type = "enabled", id = answer.attr.id, resume_max = answer.attr.max, finish = function () end };
end

-- The old session goes on with the new one's connection: what belongs to the log-in has to go with it.
local function take_over(original, session, send)
	send.session, send.filter = original, original.filter;
	original.send = send;
	original.sasl_handler = session.sasl_handler;
	original.client_id = session.client_id;
	original.fast_token_request = session.fast_token_request;
end

local function resume(smacks, tokens, session, request)
	local original = tokens[jid.join(session.username, session.host, request.attr.previd)];
	local kept, send = kept_back(session, function () smacks.handle_resume(session, request, xmlns_sm); end);
	local answer = table.remove(kept, 1);
	if not answer or answer.name ~= "resumed" then
		session.send = send;
		return nil, failure_of(answer);
	end
	take_over(original, session, send);
	local function finish()
		original.resending_unacked = true;
		for _, stanza in ipairs(kept) do
			send(stanza);
		end
		original.resending_unacked = nil;
	end
	return { type = "resumed", id = answer.attr.previd, session = original, finish = finish };
end

function module.add_host(host_module)
	local host = host_module.host;
	if host_module:get_host_type() ~= "local" then return; end
	local smacks = host_module:depends("smacks");
	local tokens = host_module:shared("/*/smacks/resumption-tokens");
	function smacks.do_enable(...) return enable(smacks, ...); end
	function smacks.do_resume(...) return resume(smacks, tokens, ...); end

	host_module:hook("stream-features", function (event)
		local session = event.origin;
		if not session.conn then return; end
		teach_connections(session.conn);
		teach_accounts(host);
		event.stream = event.stream or header_of(session) or {};
	end, 1000);

	-- mod_c2s waits for it, and takes small stanzas only before.
	host_module:hook("sasl2/c2s/success", function (event)
		host_module:fire_event("authentication-success", { session = event.session });
	end, 0);

	host_module:hook("stream-features", function (event)
		local binding = event.origin.type == "c2s_unauthed" and binding_of(event.origin);
		if binding then
			event.features:tag("sasl-channel-binding", { xmlns = "urn:xmpp:sasl-cb:0" })
				:tag("channel-binding", { type = binding }):up():up();
		end
	end, -1000);
end
