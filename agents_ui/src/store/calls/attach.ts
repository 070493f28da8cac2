// The agent says who is calling: told to the server, which remembers it for the number, then the card is fetched anew.
import { translate } from "../../i18n";
import { api, ProblemError } from "../../wire/api";
import { refreshCard } from "./cards";
import { navigate } from "../session/navigate";
import { formatNumber } from "../../lib/format";
import { toast, useStore } from "../desk/store";

export async function attachCustomer(call: string, customer: { id: number; name: string }): Promise<void> {
  try {
    await api.chooseCustomer(call, customer.id);
    await refreshCard(call);
    navigate("/");
    const number = formatNumber(useStore.getState().desk.calls[call]?.ani);
    toast({ tone: "ok", text: translate(number ? "card.attached_learnt" : "card.attached", { name: customer.name, number }) });
  } catch (error) {
    if (error instanceof ProblemError) toast({ tone: "bad", problem: error.problem });
  }
}
