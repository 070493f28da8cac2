// A level as people see it on a mixer: decibels, from the floor of hearing at -60 dB up.

const FLOOR_DB = -60;

export function Meter({ level, label }: { level: number; label: string }) {
  const share = level > 0 ? Math.max(0, Math.min(1, 1 - (20 * Math.log10(level)) / FLOOR_DB)) : 0;
  return (
    <span className="phone-meter" role="meter" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(share * 100)} title={label}>
      <span style={{ inlineSize: `${share * 100}%` }} />
    </span>
  );
}
