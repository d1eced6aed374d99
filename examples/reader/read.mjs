// A reader of personas in Node alone, by docs/reader-contract.md; it meets every MUST:
//   node --experimental-websocket read.mjs RELAY OWNER
import { genuine } from "./verify.mjs";

const [relay, owner] = process.argv.slice(2);
let whole = true; // false: the list may not be all there is

// One request on a connection of its own: the events that came, each once.
const ask = (filter) => new Promise((done, failed) => {
  const socket = new WebSocket(relay), events = new Map();
  const end = (all) => { clearTimeout(timer); whole &&= all; socket.close(); done([...events.values()]); };
  const timer = setTimeout(() => end(false), 250 * Number(process.env.NIP_AP_BUDGET ?? 20));
  socket.onopen = () => socket.send(JSON.stringify(["REQ", "personas", filter]));
  socket.onclose = () => end(false);
  socket.onerror = () => failed(new Error("the connection broke"));
  socket.onmessage = ({ data }) => {
    const [verb, , value] = JSON.parse(data);
    if (verb === "EVENT") events.set(JSON.stringify(value), value);
    if (verb === "EOSE") { socket.onclose = null; end(true); }
    if (verb === "CLOSED") failed(new Error(value));
  };
});

const asked = await Promise.all([30175, 5].map((kind) => ask({ kinds: [kind], authors: [owner] })))
  .catch((error) => { console.error(String(error)); process.exit(3); });
const mine = asked.flat().filter((event) => event.pubkey === owner && genuine(event));
const values = (event, name) => event.tags.filter(([key]) => key === name).map(([, value]) => value);
const heads = new Map(), personas = [], dropped = [];
for (const event of mine.filter(({ kind }) => kind === 30175)) {
  const slugs = values(event, "d"), head = heads.get(slugs[0]);
  if (slugs.length !== 1 || !/^[a-z0-9][a-z0-9_-]{0,63}$/.test(slugs[0])) continue;
  const later = head && (head.created_at - event.created_at || (head.id < event.id ? 1 : -1)) > 0;
  if (!later) heads.set(slugs[0], event); // the later date, then the lower id
}
for (const [slug, { id, content, created_at }] of heads) {
  const reaches = (one) => one.kind === 5 && one.created_at >= created_at;
  if (mine.some((one) => reaches(one) && values(one, "a").includes(`30175:${owner}:${slug}`))) continue;
  try {
    const { display_name, system_prompt = null } = JSON.parse(content);
    if (typeof display_name !== "string") throw new TypeError("no display_name");
    if (typeof system_prompt !== "string" && system_prompt !== null) throw new TypeError("no prompt");
    personas.push({ owner, slug, display_name, system_prompt });
  } catch (error) { dropped.push({ event: id, slug, reason: String(error) }); }
}
console.log(JSON.stringify({ personas, dropped }));
process.exit(whole ? 0 : 3);
