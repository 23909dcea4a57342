/** The text of an unscaled value in big-endian two's complement: `-1230` with scale 2 is `"-12.30"`. */
export function decimalText(bytes: Uint8Array, scale: number): string {
  let value = 0n;
  for (const byte of bytes) value = value << 8n | BigInt(byte);
  value = BigInt.asIntN(bytes.length * 8, value);
  if (scale === 0) return value.toString();
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, "0");
  const whole = digits.slice(0, -scale);
  return `${value < 0n ? "-" : ""}${whole}.${digits.slice(-scale)}`;
}

/** The limits of a decimal; `size` is the number of bytes when it is fixed. */
export interface DecimalForm {
  readonly scale: number;
  readonly precision: number;
  readonly size?: number;
}

const FORM = /^(-?)(\d+)(?:\.(\d+))?$/;

/** The bytes of a decimal given as text; undefined when it is none, or does not fit without rounding. */
export function decimalBytes(text: unknown, form: DecimalForm): Uint8Array | undefined {
  const parts = typeof text === "string" ? FORM.exec(text) : null;
  if (!parts) return undefined;
  const [, sign, whole, given = ""] = parts;
  const fraction = given.replace(/0+$/, "");
  if (fraction.length > form.scale) return undefined;
  const digits = (whole + fraction.padEnd(form.scale, "0")).replace(/^0+(?=\d)/, "");
  if (digits.length > form.precision) return undefined;
  const value = sign ? -BigInt(digits) : BigInt(digits);
  const size = form.size ?? shortest(value);
  if (BigInt.asIntN(size * 8, value) !== value) return undefined;
  return twosComplement(value, size);
}

/** As Java's `BigInteger.toByteArray`: no byte more than the sign needs. */
function shortest(value: bigint): number {
  let size = 1;
  while (BigInt.asIntN(size * 8, value) !== value) size++;
  return size;
}

function twosComplement(value: bigint, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let rest = value;
  for (let i = size - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}
