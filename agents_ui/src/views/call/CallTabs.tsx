// One tab a call when there are several, and the strip that leads back to a call from elsewhere.
import { Button } from "react-aria-components";
import { named, useT } from "../../i18n";
import { whoIs } from "../../lib/who";
import { VerdictMark } from "../../parts/marks";
import { Timer } from "../../parts/Timer";
import { myPart } from "../../store/desk/desk";
import { useCurrentCall, useMyCalls } from "../../store/desk/hooks";
import { navigate } from "../../store/session/navigate";
import { useStore } from "../../store/desk/store";

export function CallTabs() {
  const t = useT();
  const calls = useMyCalls();
  const { call: current } = useCurrentCall();
  const path = useStore((store) => store.path);
  const parts = useStore((store) => store.desk.parts);
  const set = useStore((store) => store.set);
  if (calls.length === 0 || (calls.length === 1 && path === "/")) return null;
  return (
    <nav className="call-tabs" aria-label={t("call.tabs")}>
      {calls.map((call, index) => {
        const part = myPart({ parts }, call.call);
        const here = path === "/" && call.call === current?.call;
        return (
          <Button
            key={call.call} className={`call-tab ${part?.state ?? ""}`} aria-current={here ? "true" : undefined}
            onPress={() => {
              set({ selected: call.call });
              navigate("/");
            }}
          >
            <kbd aria-hidden="true">{index + 1}</kbd>
            <span className="call-tab-who">{whoIs(call, t)}</span>
            <span className="call-tab-state">{named("standing", part?.standing)}</span>
            {part && <Timer since={part.since} />}
            {part?.state === "ringing" && <VerdictMark code={call.verdict} />}
          </Button>
        );
      })}
    </nav>
  );
}
