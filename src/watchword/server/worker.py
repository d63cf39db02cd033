"""One worker of a server, a process of its own: `python -m watchword.server.worker`, which a supervisor starts."""

from __future__ import annotations

from dataclasses import replace

from watchword.clock import SystemClock, to_datetime
from watchword.http.sockets import adopt
from watchword.resources.first_resource import FirstResource
from watchword.server.certificate import prepare_certificate
from watchword.server.folders import find_folders
from watchword.server.listener import Listener, opened_application
from watchword.server.listening import Listening
from watchword.server.orders import Orders, carry_out, follow_orders, report_ready
from watchword.server.signals import Signals


async def work(orders: Orders) -> None:
    # The supervisor waits for balancers before it has anybody stop, and a worker that is replaced is no news to them.
    settings, certificates = replace(orders.settings, drain_delay=0.0), find_folders().certificates
    now = to_datetime(SystemClock().micros())
    certificate = prepare_certificate(settings, certificates, now) if settings.tls else None
    listening = Listening([adopt(each) for each in orders.sockets], orders.endpoint, certificate)
    # The supervisor has made it, unless it was there before.
    first = FirstResource(settings.resource_name, settings.data_location)
    with Signals(hang_up_reloads=True) as signals:
        async with opened_application(
            settings,
            orders.data,
            first,
            endpoint=orders.endpoint,
            operator_port=orders.operator_port,
            process=orders.process,
        ) as application:
            listener = Listener(settings, application, listening, certificates=certificates)
            signals.direct(stop=listener.stop, reload=listener.reload)
            follow_orders(stop=listener.stop, leave=listener.leave)
            await listener.run(report_ready)


if __name__ == "__main__":
    carry_out(work)
