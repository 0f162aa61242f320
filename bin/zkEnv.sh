# For the launchers beside this file, which read it: what the configuration directory says of the environment, as Apache's zkEnv.sh
# takes it. What those files set counts without `export`.
set -a
if [ "${1-}" = --config ] && [ $# -gt 1 ]; then
  ZOOCFGDIR=$2
  shift 2
fi
: "${ZOOCFGDIR:=$root/conf}"
[ ! -f "$ZOOCFGDIR/zookeeper-env.sh" ] || . "$ZOOCFGDIR/zookeeper-env.sh"
[ ! -f "$ZOOCFGDIR/java.env" ] || . "$ZOOCFGDIR/java.env"
set +a
