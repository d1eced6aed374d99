// Ids and BIP-340 signatures with Node alone. Node multiplies points of secp256k1 (ECDH), and gives
// of another's point the x coordinate only; which y belongs to it follows from a neighbour.
import { createECDH, createHash } from "node:crypto";

const P = 2n ** 256n - 2n ** 32n - 977n;
const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const mod = (number) => ((number % P) + P) % P;
const bytes = (number) => Buffer.from(number.toString(16).padStart(64, "0"), "hex");
const int = (buffer) => BigInt("0x" + buffer.toString("hex"));
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();

function power(base, exponent) {
  let found = 1n;
  for (; exponent; exponent >>= 1n, base = mod(base * base)) if (exponent & 1n) found = mod(found * base);
  return found;
}

// The point with this x and an even y; undefined where the curve has none.
function lifted(x) {
  const square = mod(x ** 3n + 7n), y = power(square, (P + 1n) / 4n);
  return x < P && mod(y * y) === square ? [x, y & 1n ? P - y : y] : undefined;
}

function sum([x1, y1], [x2, y2]) {
  const slope = x1 === x2 ? 3n * x1 * x1 * power(2n * y1, P - 2n) : (y2 - y1) * power(mod(x2 - x1), P - 2n);
  const x = mod(slope * slope - x1 - x2);
  return [x, mod(slope * (x1 - x) - y1)];
}

function times(number, point) {
  const ecdh = createECDH("secp256k1");
  ecdh.setPrivateKey(bytes(number));
  if (point) return int(ecdh.computeSecret(Buffer.concat([Buffer.from([4]), ...point.map(bytes)])));
  const key = ecdh.getPublicKey();
  return [int(key.subarray(1, 33)), int(key.subarray(33))];
}

// Whether id and signature of an event hold. Whatever is wrong with it, the answer is no.
export function genuine({ id, pubkey, created_at, kind, tags, content, sig }) {
  try {
    const found = sha256(JSON.stringify([0, pubkey, created_at, kind, tags, content]));
    if (found.toString("hex") !== id || !/^[0-9a-f]{128}$/.test(sig)) return false;
    const key = lifted(BigInt("0x" + pubkey)), [r, s] = [sig.slice(0, 64), BigInt("0x" + sig.slice(64))];
    const tag = sha256("BIP0340/challenge");
    const e = int(sha256(tag, tag, Buffer.from(r + pubkey + id, "hex"))) % N;
    let [x, y] = lifted(times(e, key));
    if (sum([x, y], key)[0] !== times(e + 1n, key)) y = P - y;
    const [nonce, odd] = sum(times(s), [x, P - y]);
    return nonce === BigInt("0x" + r) && !(odd & 1n);
  } catch { return false; }
}
