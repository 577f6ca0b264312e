// Logs in with @xmpp/client; the loading of modules is not counted. See login_bench.h.
//
//     xmppjs_login.mjs JID PORT     password in $PEER_PASSWORD, authority in $NODE_EXTRA_CA_CERTS
import { createRequire } from 'node:module';

const found = createRequire(import.meta.url).resolve('@xmpp/client'); // also in $NODE_PATH
const { client, xml } = await import(found);

const [username, domain] = process.argv[2].split('@');
const clock = () => Number(process.hrtime.bigint()) / 1e9;
const processor = () => { const u = process.cpuUsage(); return (u.user + u.system) / 1e6; };
const [begin, used] = [clock(), processor()];
let ready = false; // after that, what fails is not measured
const fail = (error) => { if (!ready) { console.error(String(error)); process.exit(1); } };
const xmpp = client({ service: `xmpp://127.0.0.1:${process.argv[3]}`, domain, username,
                      password: process.env.PEER_PASSWORD });

xmpp.on('error', fail);
xmpp.on('online', async () => {
  const online = clock();
  const roster = xmpp.iqCaller.get(xml('query', 'jabber:iq:roster'));
  xmpp.send(xml('presence'));
  await roster;
  ready = true;
  const figures = [begin, online, clock(), processor() - used];
  console.log(figures.map((n) => n.toFixed(6)).join(' '));
  process.stdin.on('end', () => xmpp.stop().then(() => process.exit(0))).resume();
});
xmpp.start().catch(fail);
