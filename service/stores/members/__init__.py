"""Who a member is: records of merged ids, their copies, and the marks of pushes."""
