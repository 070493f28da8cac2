// One tab a call when there are several, and the strip that leads back to a call from elsewhere.
import { Button } from "react-aria-components";
import { named, useT } from "../../i18n";
import { whoIs } from "../../lib/who";
import { VerdictMark } from "../../parts/marks";
import { Timer } from "../../parts/Timer";
import { myParty } from "../../store/desk/fold";
import { useCurrentCall, useMyCalls } from "../../store/desk/hooks";
import { navigate } from "../../store/session/navigate";
import { useStore } from "../../store/desk/store";

export function CallTabs() {
  const t = useT();
  const calls = useMyCalls();
  const { call: current } = useCurrentCall();
  const path = useStore((store) => store.path);
  const me = useStore((store) => store.desk.me);
  const set = useStore((store) => store.set);
  if (calls.length === 0 || (calls.length === 1 && path === "/")) return null;
  return (
    <nav className="call-tabs" aria-label={t("call.tabs")}>
      {calls.map((call, index) => {
        const party = myParty(call, me);
        const here = path === "/" && call.call === current?.call;
        return (
          <Button
            key={call.call} className={`call-tab ${party?.state ?? ""}`} aria-current={here ? "true" : undefined}
            onPress={() => {
              set({ selected: call.call });
              navigate("/");
            }}
          >
            <kbd aria-hidden="true">{index + 1}</kbd>
            <span className="call-tab-who">{whoIs(call, t)}</span>
            <span className="call-tab-state">{named("party_state", party?.state)}</span>
            {party && <Timer since={party.since} />}
            {party?.state === "ringing" && <VerdictMark code={call.verdict} />}
          </Button>
        );
      })}
    </nav>
  );
}
