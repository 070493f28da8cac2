// Customer search by name, number fragment or contract number, in English and Chinese; a hit opens or joins the call.
import { useEffect, useState } from "react";
import { Button, GridList, GridListItem, Input, Label, SearchField } from "react-aria-components";
import { named, useT } from "../../i18n";
import { Icon } from "../../parts/Icon";
import { Tier, VerdictMark } from "../../parts/marks";
import { TelLink } from "../../parts/TelLink";
import { attachCustomer } from "../../store/calls/attach";
import { useCurrentCall } from "../../store/desk/hooks";
import { navigate } from "../../store/session/navigate";
import { api } from "../../wire/api";
import type { CustomerHit } from "../../wire/types";

const PAUSE_MS = 180;

export function SearchBox({ query, onQuery }: { query: string; onQuery: (query: string) => void }) {
  const t = useT();
  const { call } = useCurrentCall();
  const [hits, setHits] = useState<CustomerHit[] | null>(null);
  const [failed, setFailed] = useState(false);
  const asked = query.trim();

  useEffect(() => {
    if (!asked) return setHits(null);
    const abort = new AbortController();
    const timer = setTimeout(() => {
      api.searchCustomers(asked, null, abort.signal).then(
        (page) => {
          setHits(page.items);
          setFailed(false);
        },
        () => !abort.signal.aborted && setFailed(true),
      );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [asked]);

  const open = (id: number) => navigate(`/customers/${id}`);
  return (
    <>
      <div data-testid="search-box" className="search-box">
        <SearchField
          value={query} onChange={onQuery} className="search"
          onSubmit={() => {
            const [first] = hits ?? [];
            if (first) open(first.id);
          }}
          onKeyDown={(event) => {
            if (event.key === "ArrowDown") document.querySelector<HTMLElement>("[data-testid=search-results] [role=row]")?.focus();
            else event.continuePropagation();
          }}
        >
          <Label className="sr">{t("search.label")}</Label>
          <Icon name="search" />
          <Input placeholder={t("search.placeholder")} />
          {query ? <Button className="button ghost square small" aria-label={t("search.clear")}><Icon name="close" size={14} /></Button> : <kbd aria-hidden="true">/</kbd>}
        </SearchField>
      </div>
      {asked && (
        <div className="rail-body" data-testid="search-results">
          {failed && <p className="quiet pad" role="alert">{t("search.failed")}</p>}
          {hits?.length === 0 && (
            <div className="pad">
              <p className="quiet">{t("search.none", { q: asked })}</p>
              <Button className="button" onPress={() => navigate("/customers/new")}><Icon name="plus" />{t("search.create")}</Button>
            </div>
          )}
          {hits && hits.length > 0 && (
            <GridList aria-label={t("search.results")} className="rows" items={hits} onAction={(key) => open(Number(key))} dependencies={[call?.call, t]}>
              {(hit) => (
                <GridListItem id={hit.id} textValue={hit.name} className="row hit">
                  <span className="row-top">
                    <Icon name={hit.kind === "company" ? "building" : "user"} size={14} />
                    <span className="row-who">{hit.name}</span>
                    <Tier tier={hit.tier} />
                  </span>
                  <span className="row-sub">
                    {hit.numbers[0] && <TelLink number={hit.numbers[0]} />}
                    {[hit.numbers[0] ? "" : null, hit.contract?.number, hit.company?.name].filter((part) => part !== null && part !== undefined).join(" · ")}
                  </span>
                  <span className="row-end">
                    {hit.contract ? <VerdictMark code={hit.contract.verdict} /> : <span className="quiet">{named("verdict", "none")}</span>}
                    {call && (
                      <Button className="button small" onPress={() => void attachCustomer(call.call, hit)}>
                        <Icon name="link" size={14} />{t("card.attach")}
                      </Button>
                    )}
                  </span>
                </GridListItem>
              )}
            </GridList>
          )}
        </div>
      )}
    </>
  );
}
