"""One worker of a server, a process of its own: `python -m watchword.server.worker`, which a supervisor starts."""

from __future__ import annotations

from watchword.clock import SystemClock, to_datetime
from watchword.http.sockets import adopt
from watchword.resources.first_resource import FirstResource
from watchword.server.certificate import prepare_certificate
from watchword.server.folders import find_folders
from watchword.server.listener import Door, Listener, opened_application
from watchword.server.orders import Orders, at_end_of_input, carry_out, report_ready
from watchword.server.signals import Signals


async def work(orders: Orders) -> None:
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
    carry_out(work)
