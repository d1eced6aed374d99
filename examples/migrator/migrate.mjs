// A migrator in fifty lines: node migrate.mjs BASE RELAY KEY_FILE (docs/migrator-contract.md).
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { isGenuine, keyFrom, now, post, sha256, signed, slugFrom } from "./nostr.mjs";

const FIELDS = "display_name system_prompt avatar_url runtime model provider name_pool".split(" ");
const [base, relay, keyFile] = process.argv.slice(2);
const is = (value) => value === "" || (value != null && value.length !== 0);
const contentOf = (one) => JSON.stringify(Object.fromEntries(FIELDS.map((f) => [f, one[f]]).filter(([, v]) => is(v))));
const isWhole = (one) => ["id", "display_name", "system_prompt"].every((f) => typeof one?.[f] === "string");

async function main() {
  const key = keyFrom(readFileSync(keyFile, "utf8"));
  const records = JSON.parse(readFileSync(`${base}/personas.json`, "utf8"));
  if (!Array.isArray(records) || !records.every(isWhole)) throw new Error("no array of personas");
  const wanted = new Map(); // slug to content; of records with one slug the same one wins each time
  for (const one of records.filter((r) => !r.is_builtin).sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const slug = slugFrom(one.source_team_persona_slug ?? one.id), content = contentOf(one);
    const objection = wanted.has(slug) ? `slug ${slug} is taken` : Buffer.byteLength(content) > 65535 && "too long";
    if (objection) console.error(`skipped ${one.id}, ${one.display_name}: ${objection}`);
    else wanted.set(slug, content);
  }
  const file = `${base}/.migrated-${sha256(key.pubkey + relay).toString("hex")}.json`; // slug to event
  const state = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  const save = () => { writeFileSync(file + ".tmp", JSON.stringify(state)); renameSync(file + ".tmp", file); };
  const due = [...wanted].filter(([slug, content]) => state[slug]?.event.content !== content || state[slug].pending);
  const heads = {}; // what the relay has of them, asked for before anything is signed
  for (let at = 0; at < due.length; at += 100) {
    const filter = { kinds: [30175], authors: [key.pubkey], "#d": due.slice(at, at + 100).map(([slug]) => slug) };
    const found = await post(key, relay, "/query", [filter]).catch(() => null);
    for (const event of (found ?? []).filter((one) => isGenuine(key, one))) heads[event.tags.find((tag) => tag[0] === "d")[1]] = event;
  }
  for (const [slug, content] of due) {
    const mine = state[slug]?.event, head = heads[slug];
    const newest = Math.max(head?.created_at ?? 0, mine?.created_at ?? 0);
    const shared = (head ?? mine)?.tags.filter((tag) => tag[0] === "shared") ?? [];
    const draft = { kind: 30175, created_at: Math.max(now(), newest + 1), tags: [["d", slug], ...shared], content };
    if (head?.content === content) state[slug] = { event: head, pending: false };
    else if (mine?.content !== content || now() - newest > 600) state[slug] = { event: signed(key, draft), pending: true };
  }
  save(); // before anything is sent: after a crash the same events go out again
  const left = due.map(([slug]) => slug).filter((slug) => state[slug].pending);
  for (const slug of left) {
    const answer = await post(key, relay, "/events", state[slug].event).catch((error) => ({ error: error.message }));
    if (answer?.accepted) state[slug].pending = false;
    else console.error(`waiting ${slug}: ${answer?.error ?? "no answer"}`);
  }
  save();
  return left.some((slug) => state[slug].pending) ? 3 : 0;
}
main().then(process.exit, (error) => { console.error(`personas.json: ${error.message}`); process.exit(1); });
