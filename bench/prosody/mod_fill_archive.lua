-- Fills the archive of an account at once: <message to="HOST"><body>USER COUNT</body></message>.
local stanza = require "util.stanza";
local now = os.time;
local archive = module:open_store("archive", "archive");

local text = ": the garden gate was open again this morning, so somebody must have come late.";

local function fill(user, count, from)
	local bare, start = user .. "@" .. module.host, now() - count;
	for n = 1, count do
		local id = "filled-" .. n;
		local message = stanza.message({ to = bare, from = from, type = "chat", id = id }, n .. text)
			:tag("origin-id", { xmlns = "urn:xmpp:sid:0", id = id }):up()
			:tag("markable", { xmlns = "urn:xmpp:chat-markers:0" }):up();
		archive:append(user, nil, message, start + n, "friend@" .. module.host);
	end
end

module:hook("message/host", function (event)
	local user, count = event.stanza:get_child_text("body"):match("^(%S+) (%d+)$");
	fill(user, tonumber(count), event.stanza.attr.from);
	event.origin.send(stanza.reply(event.stanza):tag("body"):text("filled"):up());
	return true;
end);
