// Texts in English and Chinese: one i18next instance, a hook, and the sentences built from codes and their facts.
import i18next from "i18next";
import { useCallback } from "react";
import { useStore } from "../store/desk/store";
import type { Language, Params, Reason } from "../wire/types";
import { formatDate, formatMinutes, formatMoment, formatSpan } from "../lib/format";

// A language is loaded when it is chosen: nobody waits for the texts of the other one.
const texts: Record<Language, () => Promise<{ default: object }>> = { en: () => import("./en.json"), zh: () => import("./zh.json") };

void i18next.init({
  resources: {},
  lng: "en",
  fallbackLng: "en",
  initAsync: false,
  interpolation: { escapeValue: false }, // React escapes
  missingInterpolationHandler: () => "–",
});

export type T = (key: string, params?: Record<string, unknown>) => string;

export function translate(key: string, params?: Record<string, unknown>): string {
  return i18next.t(key, params ?? {});
}

/** Re-renders on a change of language. */
export function useT(): T {
  const language = useStore((store) => store.language);
  // eslint would call `language` unneeded: it is what makes the function new, and so the view.
  return useCallback<T>((key, params) => i18next.t(key, { lng: language, ...params }), [language]);
}

/** Load the texts of a language; nothing happens where they are there. Raises what the browser raises when they do not come. */
export async function loadLanguage(language: Language): Promise<void> {
  if (i18next.hasResourceBundle(language, "translation")) return;
  i18next.addResourceBundle(language, "translation", (await texts[language]()).default);
}

let wanted: Language = "en";

/** Show this language, once its texts are there. Where they do not come, the language stays as it is. */
export async function applyLanguage(language: Language): Promise<void> {
  wanted = language;
  await loadLanguage(language);
  if (wanted !== language) return; // another one was chosen meanwhile
  await i18next.changeLanguage(language);
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  try {
    localStorage.setItem("cti.language", language);
  } catch {
    // Storage may be forbidden; the choice then lasts for the page.
  }
  useStore.getState().set({ language });
}

/** Facts as a person reads them: dates, spans and minutes in the language, the rest as it is. */
export function spoken(params: Params, language: Language): Record<string, unknown> {
  const facts: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(params)) {
    if (value === null) continue;
    if (/(^|_)(on|until)$/.test(name) && typeof value === "string") facts[name] = formatDate(value, language);
    else if (/(^|_)at$/.test(name) && typeof value === "string") facts[name] = formatMoment(value, language);
    else if (/minutes/.test(name) && typeof value === "number") facts[name] = formatMinutes(value, language);
    else if (/_ms$/.test(name) && typeof value === "number") facts[name] = formatSpan(value);
    else facts[name] = value;
  }
  // i18next takes the plural from `count`; the facts call it days, calls or times.
  const plural = params["count"] ?? params["days"] ?? params["calls"] ?? params["times"];
  if (typeof plural === "number") facts["count"] = plural;
  return facts;
}

/** A code with its facts as a sentence; an unknown code shows itself and its facts, never nothing. */
export function sentence(group: string, reason: Reason | null, language: Language): string {
  if (!reason) return "";
  const key = `${group}.${reason.code}`;
  if (i18next.exists(key)) return i18next.t(key, spoken(reason.params, language));
  const facts = Object.entries(reason.params).filter(([, value]) => value !== null);
  return [reason.code.replace(/[._]/g, " "), ...facts.map(([name, value]) => `${name} ${value}`)].join(" · ");
}

/** The text of a code, or the code itself in words when it is newer than this desktop. */
export function named(group: string, code: string | null | undefined): string {
  if (!code) return "";
  const key = `${group}.${code}`;
  return i18next.exists(key) ? i18next.t(key) : code.replace(/_/g, " ");
}
