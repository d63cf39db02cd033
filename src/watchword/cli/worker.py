"""One worker of a server, a process of its own: `python -m watchword.cli.worker`, which only a supervisor starts."""

from __future__ import annotations

from watchword.cli.folders import find_folders
from watchword.cli.orders import Orders, at_end_of_input, carry_out, report_ready
from watchword.cli.server import Door, Listener, opened_application
from watchword.cli.server_certificate import prepare_certificate
from watchword.cli.signals import Signals
from watchword.clock import SystemClock, to_datetime
from watchword.resources.first_resource import FirstResource
from watchword.rest.serving import adopt


async def _work(orders: Orders) -> None:
    settings, certificates = orders.settings, find_folders().certificates
    now = to_datetime(SystemClock().micros())
    certificate = prepare_certificate(settings, certificates, now) if settings.tls else None
    door = Door([adopt(each) for each in orders.sockets], orders.endpoint, certificate)
    # The supervisor has made it, unless it was there before.
    first = FirstResource(settings.resource_name, settings.data_location)
    with Signals(hang_up_reloads=True) as signals:
        async with opened_application(
            settings, orders.data, first, orders.endpoint, orders.operator_port, orders.worker
        ) as application:
            listener = Listener(settings, application, door, certificates)
            signals.direct(stop=listener.stop, reload=listener.reload)
            at_end_of_input(listener.stop)
            await listener.run(report_ready)


if __name__ == "__main__":
    carry_out(_work)
