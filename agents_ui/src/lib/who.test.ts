// A caller who withholds the number is never called by the network's word for it, and a phone never by its technology.
import { expect, test } from "vitest";
import { storyCall, unknownCard } from "../dev/people";
import { phoneOf, whoIs } from "./who";

const t = (key: string) => key;
const of = (ani: string | null, name: string | null) => whoIs({ ...storyCall(unknownCard).view, customer: null, direction: "inbound", ani, ani_name: name }, t);

test("a withheld number is said in our words", () => {
  expect([of("anonymous", "Anonymous"), of("Withheld", null), of(null, "Anna Fischer"), of("+442079460018", "Anonymous")])
    .toEqual(["common.withheld", "common.withheld", "Anna Fischer", "+44 20 7946 0018"]);
});

test("a phone is its number", () => {
  expect(["PJSIP/1001", "SIP/1002", "Local/1003@agents/n", "1004"].map(phoneOf)).toEqual(["1001", "1002", "1003", "1004"]);
});
