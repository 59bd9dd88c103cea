"""WebSub (W3C Recommendation), both ways.

As a hub: `messages` judges what subscribers ask, `deliveries` verifies them and sends what is new. As a subscriber:
`subscribing` finds a source's hub, asks it and answers it; `deliveries` sends what it asks.
"""
