/** The mill wheel over the tide. */
export function Logo({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" className={className} aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#0f7f8c" />
      <g fill="none" stroke="#fff" strokeWidth="2.4" strokeLinecap="round">
        <circle cx="16" cy="13" r="6.2" />
        <path d="M16 4.6v4M16 17.4v4M7.6 13h4M20.4 13h4" strokeWidth="2" />
        <path d="M4.5 25.5c2.2-2 4.6-2 6.8 0s4.6 2 6.8 0 4.6-2 6.8 0 2.2 1 2.6 1" />
      </g>
    </svg>
  );
}
