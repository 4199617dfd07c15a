#!/bin/sh
# kubo as a node of a private network: without the swarm key nobody is its peer, it asks no public node for anything,
# announces nothing, and sends no telemetry.
#
#   IPFS_PATH           its repository
#   KUBO_SWARM_KEY      the file of the network's key: the same on every node of it, and nowhere else
#   KUBO_API            where its administrator's interface listens, a multiaddr: let the gateway alone reach it
#   KUBO_SWARM          where its peers reach it, a multiaddr
#   KUBO_PEERS          its peers, a JSON list of multiaddrs with /p2p/…; [] is none
set -eu
umask 077
export LIBP2P_FORCE_PNET=1 IPFS_TELEMETRY=off

[ -f "$IPFS_PATH/config" ] || ipfs init --empty-repo --profile=server
cp "$KUBO_SWARM_KEY" "$IPFS_PATH/swarm.key"

set_to() { ipfs config --json "$1" "$2"; }
set_to Addresses.API "\"$KUBO_API\""
set_to Addresses.Gateway '[]'
set_to Addresses.Swarm "[\"$KUBO_SWARM\"]"
set_to AutoConf.Enabled false
set_to AutoTLS.Enabled false
set_to Bootstrap "${KUBO_PEERS:-[]}"
set_to Routing.Type '"none"'
set_to Swarm.Transports.Network.QUIC false
set_to Swarm.Transports.Network.Websocket false
set_to Plugins.Plugins.telemetry.Config.Mode '"off"'
# Blocks of other hospitals' private addresses: the profile `server` would not dial them.
set_to Swarm.AddrFilters '[]'

exec ipfs daemon
