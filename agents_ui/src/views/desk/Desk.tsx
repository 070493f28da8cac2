// The centre of the desk: the card of the current call, or the calm of none.
import { useCurrentCall } from "../../store/desk/hooks";
import { CardView } from "../card/Card";
import { Idle } from "./Idle";

export function Desk() {
  const { call, card } = useCurrentCall();
  return call ? <CardView key={call.call} call={call} card={card} /> : <Idle />;
}
