import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { asciiText, LONGEST_ASCII } from "../../lib/serde/ascii_text.ts";
import { decodeText } from "../../lib/serde/text.ts";
import { seededRandom } from "../support/random.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

test("decodeText gives text of every length, wherever in the bytes it lies", () => {
  const random = seededRandom("text");
  const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789-_\u0000\u007f";
  for (let length = 0; length <= 40; length++) {
    for (let round = 0; round < 20; round++) {
      const text = Array.from({ length }, () => random.pick([...alphabet])).join("");
      const before = random.int(0, 9);
      const bytes = utf8(`${"x".repeat(before)}${text}yy`);
      assertEquals(decodeText(bytes, before, before + length), text);
      if (length === 0 || length > LONGEST_ASCII) continue;
      assertEquals(asciiText(bytes, before, length), text);
    }
  }
});

test("decodeText reads what is not ASCII as UTF-8, wherever in the text it stands", () => {
  for (let length = 1; length <= LONGEST_ASCII; length++) {
    for (let at = 0; at < length; at++) {
      for (const other of ["é", "€", "😀"]) {
        const text = `${"a".repeat(at)}${other}${"b".repeat(length - at - 1)}`;
        const bytes = utf8(text);
        assertEquals(decodeText(bytes, 0, bytes.length), text);
        if (bytes.length <= LONGEST_ASCII) {
          assertEquals(asciiText(bytes, 0, bytes.length), undefined);
        }
      }
    }
  }
});

test("decodeText keeps a byte order mark and makes U+FFFD of what is no UTF-8", () => {
  assertEquals(decodeText(utf8("\ufeffa"), 0, 4), "\ufeffa");
  assertEquals(decodeText(Uint8Array.of(97, 0xff, 98), 0, 3), "a\ufffdb");
});
