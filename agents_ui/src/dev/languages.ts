// The tests read what people are told, in both languages.
import { loadLanguage } from "../i18n";

await Promise.all([loadLanguage("en"), loadLanguage("zh")]);
