// Whether a command can reach the PBX of a call: the server is there and its link is live.
import { useStore } from "../desk/store";

export function isConnected(pbx: string): boolean {
  const { socket, desk } = useStore.getState();
  return reaches(socket.name, desk.links[pbx]?.state);
}

export const useConnected = (pbx: string): boolean => useStore((store) => reaches(store.socket.name, store.desk.links[pbx]?.state));

const reaches = (socket: string, link: string | undefined) => socket === "open" && (link === undefined || link === "live");
