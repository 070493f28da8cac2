// The rooms of the desk: calls, owed, promises, team, my day, floor. Each says how much waits in it; the call stays in sight.
import { useT } from "../../i18n";
import { useMinute } from "../../lib/clock";
import { Icon, type IconName } from "../../parts/Icon";
import { openHelp } from "../../store/rooms/help";
import { unreadOf, useMessages } from "../../store/rooms/messages";
import { navigate } from "../../store/session/navigate";
import { useOwed } from "../../store/drafts/owed";
import { myPromises, urgencyOf } from "../../store/rooms/promises";
import { useStore } from "../../store/desk/store";

interface Room { path: string; text: string; icon: IconName; count: number; tone: "" | "warn" | "bad"; keys: string; counted: string }

function useRooms(): Room[] {
  const now = useMinute();
  const desk = useStore((store) => store.desk);
  const owed = useOwed((tray) => tray.items.length);
  const readTo = useMessages((messages) => messages.readTo);
  const supervises = (desk.me?.role ?? "agent") !== "agent";
  const pressing = myPromises(desk).filter((promise) => urgencyOf(promise, now) !== "later");
  const late = pressing.some((promise) => urgencyOf(promise, now) === "late");
  const asking = supervises ? openHelp(desk).filter((request) => request.state === "open").length : 0;
  const rooms: Room[] = [
    { path: "/", text: "rooms.desk", icon: "phone", count: 0, tone: "", keys: "D", counted: "" },
    { path: "/owed", text: "rooms.owed", icon: "note", count: owed, tone: "warn", keys: "I", counted: "rooms.owed_count" },
    { path: "/promises", text: "rooms.promises", icon: "clock", count: pressing.length, tone: late ? "bad" : "warn", keys: "V", counted: "rooms.promises_count" },
    { path: "/team", text: "rooms.team", icon: "users", count: unreadOf(desk, readTo) + asking, tone: asking ? "bad" : "", keys: "G", counted: "rooms.team_count" },
    { path: "/day", text: "rooms.day", icon: "floor", count: 0, tone: "", keys: "Q", counted: "" },
  ];
  return supervises ? [...rooms, { path: "/floor", text: "rooms.floor", icon: "building", count: 0, tone: "", keys: "F", counted: "" }] : rooms;
}

/** The page that is shown belongs to the desk unless it is a room of its own. */
function roomOf(path: string, rooms: Room[]): string {
  return rooms.some((room) => room.path === path) ? path : "/";
}

export function Rooms() {
  const t = useT();
  const rooms = useRooms();
  const here = useStore((store) => roomOf(store.path, rooms));
  return (
    <nav className="rooms" aria-label={t("rooms.heading")}>
      {rooms.map((room) => (
        <a
          key={room.path} href={room.path} className="room" aria-current={here === room.path ? "page" : undefined} data-room={room.path} title={`${t(room.text)} (${room.keys})`}
          onClick={(event) => {
            event.preventDefault();
            navigate(room.path);
          }}
        >
          <span className="room-icon">
            <Icon name={room.icon} size={18} />
            {room.count > 0 && <span className={`badge num ${room.tone}`} aria-hidden="true">{room.count > 99 ? "99+" : room.count}</span>}
          </span>
          <span className="room-text">{t(room.text)}</span>
          {room.count > 0 && <span className="sr">{t(room.counted, { count: room.count })}</span>}
        </a>
      ))}
    </nav>
  );
}
