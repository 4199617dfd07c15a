"""All sites in one process: Flower's `Grid` without SuperLink and SuperNodes, over the same apps.

For runs in which the network is not the point: no process is started, and the weights are the same to the byte. Each
message is copied as the wire would, so that nobody changes what another one holds.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterable, Mapping
from itertools import count

from flwr.app import Context, Error, Message, RecordDict
from flwr.app.user_config import UserConfig
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.supercore.run import Run
from flwr.supercore.task_identity import TaskIdentity

log = logging.getLogger(__name__)

RUN, SERVER = 1, 1
CRASHED = 2
"""Flower's code for an app that raised."""


class InProcessGrid(Grid):
    """Nodes by number, each with its configuration.

    Args:
        app: what every node runs.
        nodes: the configuration of each, as `--node-config` would give it.
        settings: the configuration of the run.
    """

    def __init__(self, app: ClientApp, nodes: Mapping[int, UserConfig], settings: UserConfig | None = None) -> None:
        TaskIdentity.run_id, TaskIdentity.task_id, TaskIdentity.node_id = RUN, 0, SERVER
        self._app = app
        self._contexts = {
            number: Context(RUN, number, dict(config), RecordDict(), dict(settings or {}))
            for number, config in nodes.items()
        }
        self._run = Run.create_empty(RUN)
        self._numbers = count(1)
        self._replies: dict[str, Message] = {}

    def set_run(self, run: Run) -> None:
        self._run = run

    @property
    def run(self) -> Run:
        return self._run

    def create_message(
        self, content: RecordDict, message_type: str, dst_node_id: int, group_id: str, ttl: float | None = None
    ) -> Message:
        return Message(content, dst_node_id, message_type, group_id=group_id, ttl=ttl)

    def get_node_ids(self) -> list[int]:
        return list(self._contexts)

    def push_messages(self, messages: Iterable[Message]) -> list[str]:
        return [self._deliver(each) for each in messages]

    def pull_messages(self, message_ids: Iterable[str]) -> list[Message]:
        return [self._replies.pop(each) for each in message_ids if each in self._replies]

    def send_and_receive(self, messages: Iterable[Message], *, timeout: float | None = None) -> list[Message]:
        return self.pull_messages(self.push_messages(messages))

    def answer(self, message: Message) -> Message:
        """What the node that a message is for answers."""
        try:
            return self._app(message, self._contexts[message.metadata.dst_node_id])
        except Exception as error:  # as a SuperNode: whatever an app raises is its answer
            log.warning("a node raised %s", type(error).__name__, exc_info=error)
            return Message(Error(CRASHED, type(error).__name__), reply_to=message)

    def _deliver(self, message: Message) -> str:
        number = str(next(self._numbers))
        sent = copy.deepcopy(message)
        sent.metadata.__dict__["_message_id"] = number
        self._replies[number] = copy.deepcopy(self.answer(sent))
        return number


def run_in_process(
    server: ServerApp,
    client: ClientApp,
    nodes: Mapping[int, UserConfig],
    settings: UserConfig,
) -> None:
    """Run a server app and its client apps to the end, as `flwr run` would."""
    server(InProcessGrid(client, nodes, settings), Context(RUN, SERVER, {}, RecordDict(), dict(settings)))
