// What stands in the place of a page that is not there: why, and the one thing that leads on.
import { Button } from "react-aria-components";
import { Icon, type IconName } from "./Icon";

export function PageNotice({ testid, title, why, action }: { testid: string; title: string; why: string; action: { icon: IconName; text: string; go: () => void } }) {
  return (
    <div className="page">
      <div className="alert warn" role="alert" data-testid={testid}>
        <Icon name="warn" />
        <div>
          <strong>{title}</strong>
          <div className="quiet">{why}</div>
          <div className="actions"><Button className="button small" onPress={action.go}><Icon name={action.icon} size={14} />{action.text}</Button></div>
        </div>
      </div>
    </div>
  );
}
