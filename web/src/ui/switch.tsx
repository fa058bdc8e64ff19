import { cx } from "@/lib/cx";

export function Switch({
  checked,
  label,
  disabled,
  onChange,
}: {
  checked: boolean;
  label: string;
  disabled?: boolean;
  onChange: (checked: boolean) => void;
}) {
  return (
    <button
      type="button"
      role="switch"
      aria-checked={checked}
      aria-label={label}
      title={label}
      disabled={disabled}
      onClick={(event) => {
        event.stopPropagation();
        onChange(!checked);
      }}
      className={cx(
        "inline-flex h-[18px] w-8 items-center rounded-full p-0.5 transition-colors disabled:opacity-60",
        checked ? "bg-brand" : "bg-idle-mark",
      )}
    >
      <span
        className={cx(
          "size-3.5 rounded-full bg-[#fff] transition-transform duration-100",
          checked && "translate-x-3.5",
        )}
      />
    </button>
  );
}
