"""Portfolios of Service Catalog, and whom they are given to: CloudFormation's word for a portfolio leaves that out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from demarc.core.model import Resource
from demarc.core.touch import EVERYTHING, Touch
from demarc.readers import Clients, Inventory, Part, Reader
from demarc.readers.answers import asked, page_by_page, pages, same, tags

_SOURCE = "servicecatalog.amazonaws.com"
_GONE = ("ResourceNotFoundException",)


def _client(clients: Clients, resource: Resource) -> Any:
    return clients("servicecatalog", resource.region)


def _read(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    found = asked(_client(clients, resource), "describe_portfolio", _GONE, Id=resource.identifier)
    return {**same(found.get("PortfolioDetail", {}), "DisplayName", "ProviderName"), "Tags": tags(found.get("Tags"))}


def _shared(clients: Clients, resource: Resource) -> Mapping[str, Any]:
    """Accounts that it is given to one by one; what the organization and its units are given stays within it.

    AWS Service Catalog Administrator Guide, "Sharing a Portfolio".
    """
    found = page_by_page(
        _client(clients, resource),
        "describe_portfolio_shares",
        _GONE,
        mark="PageToken",
        told_as="NextPageToken",
        PortfolioId=resource.identifier,
        Type="ACCOUNT",
    )
    shares = [each for page in found for each in page.get("PortfolioShareDetails", ())]
    return {"Observed": {"SharedWith": sorted(each["PrincipalId"] for each in shares if "PrincipalId" in each)}}


def _listed(clients: Clients, _account: str, region: str) -> Iterator[Sequence[str]]:
    for page in pages(clients("servicecatalog", region), "list_portfolios", "PortfolioDetails", 20):
        yield [each["Id"] for each in page]


_NAMED = ("requestParameters.id",)

PORTFOLIO = Reader(
    type="AWS::ServiceCatalog::Portfolio",
    responder="data",
    arn="arn:{partition}:catalog:{region}:{account}:portfolio/{identifier}",
    parts=(
        Part(
            gives=("DisplayName", "ProviderName", "Tags"),
            calls={"servicecatalog.DescribePortfolio": "servicecatalog:DescribePortfolio"},
            read=_read,
        ),
        Part(
            gives=("Observed.SharedWith",),
            calls={"servicecatalog.DescribePortfolioShares": "servicecatalog:DescribePortfolioShares"},
            read=_shared,
        ),
    ),
    touches=(
        Touch(_SOURCE, ("CreatePortfolio",), ("responseElements.portfolioDetail.id",), EVERYTHING),
        Touch(_SOURCE, ("DeletePortfolio",), _NAMED, EVERYTHING),
        Touch(_SOURCE, ("UpdatePortfolio",), _NAMED, ("DisplayName", "ProviderName", "Tags")),
        Touch(
            _SOURCE,
            ("CreatePortfolioShare", "DeletePortfolioShare"),
            ("requestParameters.portfolioId",),
            ("Observed.SharedWith",),
        ),
    ),
    inventory=Inventory(calls={"servicecatalog.ListPortfolios": "servicecatalog:ListPortfolios"}, pages=_listed),
)

READERS: tuple[Reader, ...] = (PORTFOLIO,)
