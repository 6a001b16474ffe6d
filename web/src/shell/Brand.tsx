export function Brand() {
  return (
    <span className="flex items-center gap-2 font-semibold tracking-tight">
      <img src="/assets/favicon.svg" alt="" className="size-6" />
      growqr
    </span>
  );
}
