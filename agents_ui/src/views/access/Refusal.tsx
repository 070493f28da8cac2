// What the server said to a sign-in, or whatever answers in its place, and what mends it.
import { useT } from "../../i18n";
import { problemText } from "../../lib/problem";
import { Icon } from "../../parts/Icon";
import type { Problem } from "../../wire/types";

export function Refusal({ problem }: { problem: Problem }) {
  const t = useT();
  const ours = problem.code === "wrong_credentials" ? "wrong" : problem.code === "unreachable" ? "unreachable" : null;
  const said = ours ? { title: t(`signin.${ours}`), detail: t(`signin.${ours}_remedy`) } : problemText(problem, t);
  return (
    <div className="alert bad" role="alert" data-testid="signin-refusal" data-code={problem.code}>
      <Icon name="warn" />
      <div>
        <strong>{said.title}</strong>
        <div>{said.detail}</div>
      </div>
    </div>
  );
}
