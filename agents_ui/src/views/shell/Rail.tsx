// The left rail: customer search above, today's calls below; results take the list's place while something is typed.
import { useState } from "react";
import { SearchBox } from "./SearchBox";
import { TodayList } from "../desk/TodayList";

export function Rail() {
  const [query, setQuery] = useState("");
  return (
    <aside className="rail">
      <SearchBox query={query} onQuery={setQuery} />
      <div hidden={query.trim() !== ""} className="rail-body"><TodayList /></div>
    </aside>
  );
}
