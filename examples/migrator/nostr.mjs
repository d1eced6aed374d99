// What the example needs of Nostr: event ids, BIP-340 signatures and NIP-98 headers, with Node
// alone. Signing multiplies the generator only, which Node's ECDH does; the rest is arithmetic.
import { createECDH, createHash } from "node:crypto";

const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const hex = (number) => number.toString(16).padStart(64, "0");
const int = (buffer) => BigInt("0x" + buffer.toString("hex"));
export const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();
export const now = () => Math.floor(Date.now() / 1000);
const tagged = (tag, ...parts) => sha256(sha256(tag), sha256(tag), ...parts);

// Any text as a slug: lower case, `-` for what is outside the grammar, a letter or digit first.
export const slugFrom = (text) => text.replace(/[A-Z]/g, (c) => c.toLowerCase())
  .replace(/[^a-z0-9_-]/gu, "-").replace(/^(?![a-z0-9])/, "a").slice(0, 64);

// The point number*G as [x, whether y is even].
function times(number) {
  const ecdh = createECDH("secp256k1");
  ecdh.setPrivateKey(Buffer.from(hex(number), "hex"));
  const point = ecdh.getPublicKey();
  return [point.subarray(1, 33), point[64] % 2 === 0];
}

export function keyFrom(text) {
  if (!/^\s*[0-9a-f]{64}\s*$/i.test(text)) throw new Error("the key file needs 64 hex digits");
  const secret = BigInt("0x" + text.trim());
  const [x, even] = times(secret);
  return { secret: even ? secret : N - secret, pubkey: x.toString("hex") };
}

const idOf = (e) => sha256(JSON.stringify([0, e.pubkey, e.created_at, e.kind, e.tags, e.content]));

export function signed(key, draft) {
  const event = { pubkey: key.pubkey, tags: [], content: "", ...draft };
  const id = idOf(event);
  const masked = Buffer.from(hex(key.secret ^ int(tagged("BIP0340/aux", id))), "hex");
  const seed = int(tagged("BIP0340/nonce", masked, Buffer.from(key.pubkey, "hex"), id)) % N;
  const [x, even] = times(seed);
  const nonce = even ? seed : N - seed;
  const challenge = int(tagged("BIP0340/challenge", x, Buffer.from(key.pubkey, "hex"), id)) % N;
  const sig = x.toString("hex") + hex((nonce + challenge * key.secret) % N);
  return { id: id.toString("hex"), ...event, sig };
}

// Whether an event is the owner's own and verifies. Who has the secret needs no point arithmetic:
// s - e*secret has to be the nonce, whose point is in the signature.
export function isGenuine(key, event) {
  const id = idOf(event), x = event.sig.slice(0, 64), s = BigInt("0x" + event.sig.slice(64));
  if (event.pubkey !== key.pubkey || id.toString("hex") !== event.id || s >= N) return false;
  const bytes = [x, key.pubkey].map((one) => Buffer.from(one, "hex"));
  const challenge = int(tagged("BIP0340/challenge", ...bytes, id)) % N;
  const nonce = (((s - challenge * key.secret) % N) + N) % N;
  if (nonce === 0n) return false;
  const [point, even] = times(nonce);
  return even && point.toString("hex") === x;
}

// POST JSON with NIP-98; gives the parsed body, or null where there is none. Throws when offline.
export async function post(key, relay, path, value) {
  const url = relay.replace(/^ws/, "http").replace(/\/+$/, "") + path;
  const body = JSON.stringify(value);
  const tags = [["u", url], ["method", "POST"], ["payload", sha256(body).toString("hex")]];
  tags.push(["nonce", String(Math.random())]);
  const auth = signed(key, { kind: 27235, created_at: now(), tags });
  const headers = { Authorization: "Nostr " + Buffer.from(JSON.stringify(auth)).toString("base64") };
  const response = await fetch(url, { method: "POST", body, headers, signal: AbortSignal.timeout(5000) });
  return response.json().catch(() => null);
}
