"""What the readers of EC2 have in common."""

from __future__ import annotations

# The eventSource of all of EC2's calls.
EC2 = "ec2.amazonaws.com"

# EC2 takes 1,000 a page; half of it keeps the answer, of which only the ids are wanted, to a few megabytes.
PAGE = 500

# Where CreateTags and DeleteTags name what they tag.
TAGGED = ("requestParameters.resourcesSet[].resourceId",)
