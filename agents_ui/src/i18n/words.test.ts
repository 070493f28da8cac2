// One thing, one word: no text of the desk uses a word that docs/words.md says is not used. The page also says what is excepted.
import { expect, test } from "vitest";
import page from "../../../docs/words.md?raw";
import en from "./en.json";
import zh from "./zh.json";

type Tree = { [key: string]: string | Tree };
const flat = (tree: Tree, path = ""): [string, string][] =>
  Object.entries(tree).flatMap(([key, value]) => (typeof value === "string" ? [[path + key, value] as [string, string]] : flat(value, `${path}${key}.`)));
const texts = [...flat(en), ...flat(zh)];
const keys = new Set(texts.map(([key]) => key));

const listed = (cell: string) => cell.split(/, |、/).map((word) => word.trim()).filter(Boolean);
/** The rows of the page's tables, as cells; their heads and rules left out. */
const rows = (text: string) => text.split("\n").filter((line) => /^\| (?!English \||word \|)/.test(line)).map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
const [terms = "", exceptions = ""] = page.split("## Where a word may stand all the same");

interface Term { right: string[]; wrong: string[] }
const glossary: Term[] = rows(terms).map(([english = "", chinese = "", , not = ""]) => ({ right: [...listed(english), ...listed(chinese)], wrong: listed(not) }));
const excepted = rows(exceptions).map(([words = "", places = ""]) => ({ words: listed(words), places: [...places.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? "") }));

const escaped = (word: string) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const isEnglish = (word: string) => /^[\w\s-]+$/.test(word);
const pattern = (word: string) => (isEnglish(word) ? new RegExp(`\\b${escaped(word)}\\b`, "i") : new RegExp(escaped(word)));

/** The wrong words of a term in a text. The right word may hold a wrong one: it is taken out first. */
function faults(text: string, { right, wrong }: Term): string[] {
  const rest = right.reduce((left, word) => left.replace(new RegExp(pattern(word).source, "gi"), "·"), text.replace(/{{\w+}}/g, "·"));
  return wrong.filter((word) => pattern(word).test(rest));
}

test("the page is read: each term in both languages, each with its words", () => {
  expect(glossary.length).toBeGreaterThan(40);
  expect(glossary.filter(({ right, wrong }) => right.length < 2 || wrong.length === 0)).toEqual([]);
});

test("no text uses a second word for one thing", () => {
  const found = texts.flatMap(([key, text]) => glossary.flatMap((term) =>
    faults(text, term).filter((word) => !excepted.some(({ words, places }) => words.includes(word) && places.includes(key)))
      .map((word) => `${key}: “${text}” says ${word}, not ${term.right.join(" / ")}`)));
  expect(found).toEqual([]);
});

test("every exception is one: its text is there and uses the word", () => {
  const unused = excepted.flatMap(({ words, places }) => places.filter((place) => !keys.has(place)
    || !words.some((word) => texts.some(([key, text]) => key === place && pattern(word).test(text)))));
  expect(unused).toEqual([]);
});

test.each([
  ["Verified", true], ["Number on file", false], ["unverified", false], ["话后", true], ["话后处理", false], ["短时放弃", true], ["短时排队放弃", false],
])("%s is found: %s", (text, wrong) => {
  expect(glossary.some((term) => faults(text, term).length > 0)).toBe(wrong);
});
